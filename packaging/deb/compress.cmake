# Run by CPack over what it is about to pack: Debian has its manual pages and longer texts compressed, without a time in
# them.
file(GLOB_RECURSE texts
  ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/*/usr/share/man/*
  ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/*/usr/share/doc/*/changelog*
  ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/*/usr/share/doc/*/protocol.md)
foreach(text IN LISTS texts)
  execute_process(COMMAND gzip -9n ${text} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
