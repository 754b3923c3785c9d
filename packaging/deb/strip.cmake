# Run by CPack over what it is about to pack: takes out the compiler's notes, as dh_strip does beyond what CPack strips.
set(installed ${CPACK_TEMPORARY_INSTALL_DIRECTORY})
set(without_notes strip --remove-section=.comment --remove-section=.note)
file(GLOB programs ${installed}/*/usr/bin/* ${installed}/*/usr/sbin/*)
file(GLOB_RECURSE archives ${installed}/*/usr/lib/*.a)
foreach(program IN LISTS programs)
  execute_process(COMMAND ${without_notes} ${program} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
foreach(archive IN LISTS archives)
  execute_process(COMMAND ${without_notes} --strip-debug --enable-deterministic-archives ${archive}
    COMMAND_ERROR_IS_FATAL ANY)
endforeach()
