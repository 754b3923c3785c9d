# Run by `cmake --install`, which alone knows the prefix: installs what depends on it. Under /usr that goes where Debian
# has it, under any other prefix below it. A configuration that is there already is the administrator's, and stays.
#
# The caller sets `sources`, the root of the tree, and `sbindir`, `sysconfdir` and `datadir` as GNUInstallDirs has them.
set(base ${CMAKE_INSTALL_PREFIX})
set(completions zsh/site-functions)
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  set(base /)
  set(completions zsh/vendor-completions)
endif()
cmake_path(ABSOLUTE_PATH sbindir BASE_DIRECTORY ${CMAKE_INSTALL_PREFIX})
cmake_path(ABSOLUTE_PATH datadir BASE_DIRECTORY ${CMAKE_INSTALL_PREFIX})
cmake_path(ABSOLUTE_PATH sysconfdir BASE_DIRECTORY ${base})
cmake_path(APPEND base lib/systemd/system OUTPUT_VARIABLE units)

file(INSTALL ${sources}/client/lockctl/completion/_lockctl DESTINATION ${datadir}/${completions})

set(configuration $ENV{DESTDIR}${sysconfdir}/lockd/lockd.conf)
if(EXISTS ${configuration})
  message(STATUS "Kept: ${configuration}")
else()
  file(INSTALL ${sources}/packaging/lockd.conf DESTINATION ${sysconfdir}/lockd)
endif()

file(GLOB each ${sources}/packaging/systemd/lockd.*)
file(INSTALL ${each} DESTINATION ${units})
# The paths in the unit are those of the package.
set(service $ENV{DESTDIR}${units}/lockd.service)
file(READ ${service} packaged)
string(REPLACE /usr/sbin/lockd ${sbindir}/lockd installed "${packaged}")
string(REPLACE /etc/lockd ${sysconfdir}/lockd installed "${installed}")
if(NOT installed STREQUAL packaged)
  file(WRITE ${service} "${installed}")
endif()
