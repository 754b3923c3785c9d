# How what a request runs through, the lock table and the session, is compiled for the daemon and for what counts its
# instructions: across its sources, and by what training has counted.
include(CMakeDependentOption)

option(LOCKD_LINK_TIME_OPTIMISATION "optimise the daemon across its sources (g++ only)" OFF)
cmake_dependent_option(LOCKD_PROFILE_GUIDED "optimise the daemon by what its training has counted (runs a program)" OFF
  "LOCKD_LINK_TIME_OPTIMISATION;CMAKE_CXX_COMPILER_ID STREQUAL GNU;NOT CMAKE_CROSSCOMPILING" OFF)

# Where training leaves its counts: for each SOURCE.cc SOURCE.cc.gcda.
set(LOCKD_PROFILE ${CMAKE_BINARY_DIR}/training/profile)

# lockd_request_objects(NAME OPTIONS...) - lock table and session, compiled once more.
function(lockd_request_objects name)
  add_library(${name} OBJECT)
  foreach(library lockd_engine lockd_session)
    get_target_property(folder ${library} SOURCE_DIR)
    get_target_property(sources ${library} SOURCES)
    list(TRANSFORM sources PREPEND ${folder}/)
    target_sources(${name} PRIVATE ${sources})
  endforeach()
  target_link_libraries(${name} PRIVATE lockd_session)
  target_compile_definitions(${name} PRIVATE $<TARGET_PROPERTY:lockd_session,COMPILE_DEFINITIONS>)
  target_compile_options(${name} PRIVATE ${ARGN})
endfunction()

# lockd_profiles_of(OBJECTS VARIABLE) - the counts of those objects' sources.
function(lockd_profiles_of objects variable)
  get_target_property(profiles ${objects} SOURCES)
  list(TRANSFORM profiles REPLACE ".*/(.*)" "${LOCKD_PROFILE}/\\1.gcda")
  set(${variable} ${profiles} PARENT_SCOPE)
endfunction()

# lockd_optimise_across_sources(PROGRAM) - gives it lock table and session as objects of their own, because an archive
# of both kinds of code is more than the linker can be trusted with: it takes members twice, or not at all. Not to be
# called first in the folder of those sources, nor in training/: there the objects' properties would be others', too.
function(lockd_optimise_across_sources program)
  if(NOT LOCKD_LINK_TIME_OPTIMISATION)
    return()
  endif()
  if(NOT TARGET lockd_across_sources)
    lockd_request_objects(lockd_across_sources -flto=auto)
    if(LOCKD_PROFILE_GUIDED)
      lockd_use_profile(lockd_across_sources)
    endif()
  endif()
  target_sources(${program} PRIVATE $<TARGET_OBJECTS:lockd_across_sources>)
  target_compile_options(${program} PRIVATE -flto=auto)
  target_link_options(${program} PRIVATE -flto=auto)
endfunction()

# Partial training: what the traffic does not reach is optimised as without a profile, not for size. A source without
# counts, or with those of another state of it, is an error.
function(lockd_use_profile objects)
  target_compile_options(${objects} PRIVATE
    -fprofile-use -fno-profile-values -fprofile-partial-training -dumpdir ${LOCKD_PROFILE}/)
  get_target_property(sources ${objects} SOURCES)
  lockd_profiles_of(${objects} profiles)
  set_source_files_properties(${sources} PROPERTIES OBJECT_DEPENDS "${profiles}")
  add_dependencies(${objects} lockd_profile)
endfunction()
