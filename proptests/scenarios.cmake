# Scenario files, each played on each target, and the recordings of lockd's ancestors. Included by the CMakeLists.txt
# beside this file.
add_library(lockd_transcript STATIC transcript.cc)
target_link_libraries(lockd_transcript PUBLIC lockd_common)

add_library(lockd_session_flags STATIC recorded_sessions.cc scenario_target.cc session_flags.cc)
target_link_libraries(lockd_session_flags PUBLIC lockd_model lockd_session)
target_compile_definitions(lockd_session_flags PRIVATE LOCKD_VERSION="${PROJECT_VERSION}")

add_library(lockd_scenario STATIC
  recording.cc
  scenario.cc
  scenario_byte_target.cc
  scenario_compare.cc
  scenario_daemon.cc
  scenario_daemon_target.cc
  scenario_model_target.cc
  scenario_pattern.cc
  scenario_session_target.cc
  scenario_socket.cc
  web_socket_frames.cc
)
target_link_libraries(lockd_scenario PUBLIC
  lockd_last_words lockd_session_flags lockd_transcript lockd_model lockd_session)
target_compile_definitions(lockd_scenario PRIVATE LOCKD_VERSION="${PROJECT_VERSION}")

add_executable(scenario scenario_main.cc)
target_link_libraries(scenario PRIVATE lockd_scenario)
target_compile_definitions(scenario PRIVATE
  LOCKD_BINARY="$<TARGET_FILE:lockd>"
  LOCKD_VERSION="${PROJECT_VERSION}"
)
add_dependencies(scenario lockd)

# A scenario that concerns only the daemon's edge, or streams of bytes alone, says so: `# targets: tcp1 tcp4 unix4`.
file(GLOB scenarios CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/scenarios/*.txt)
foreach(path IN LISTS scenarios)
  cmake_path(GET path STEM name)
  set(targets model session bytewise tcp1 tcp4 unix4 ws4)
  file(STRINGS ${path} line REGEX "^# targets: " ENCODING UTF-8)
  if(line)
    string(REGEX REPLACE "^# targets: " "" targets "${line}")
    separate_arguments(targets)
  endif()
  foreach(target IN LISTS targets)
    set(test ${LOCKD_TEST_PREFIX}scenario.${target}.${name})
    add_test(NAME ${test} COMMAND scenario ${target} ${path})
    set_tests_properties(${test} PROPERTIES LABELS scenario)
  endforeach()
endforeach()

lockd_unit_test(scenario_tests
  SOURCES golden_replay_test.cc scenario_compare_test.cc scenario_pattern_test.cc scenario_test.cc transcript_test.cc
  LIBRARIES lockd_scenario
)
target_compile_definitions(scenario_tests PRIVATE
  LOCKD_BINARY="$<TARGET_FILE:lockd>"
  LOCKD_GOLDEN_DIR="${CMAKE_SOURCE_DIR}/../shared/golden"
)
add_dependencies(scenario_tests lockd)
