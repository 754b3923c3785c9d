# The Debian packages, by CPack: ci/package builds them.
set(LOCKD_PACKAGE_CONTACT "The lockd authors <lockd@example.org>" CACHE STRING "whom the packages name as maintainer")
set(deb ${CMAKE_CURRENT_SOURCE_DIR}/deb)
set(made ${CMAKE_CURRENT_BINARY_DIR}/deb)

set(components lockd)
set(package_of_lockd lockd)
if(TARGET lockd_client)
  list(APPEND components dev)
  set(package_of_dev liblockd-dev)
endif()

# What Debian's policy wants of each package: its licence, and two changelogs, that of what is packaged and its own. The
# latter, and what lintian is to overlook, are for packages alone, which have the prefix /usr.
configure_file(${deb}/changelog.in ${made}/changelog.Debian @ONLY)
configure_file(${CMAKE_SOURCE_DIR}/CHANGELOG.md ${made}/changelog COPYONLY)
foreach(component IN LISTS components)
  set(package ${package_of_${component}})
  set(doc ${CMAKE_INSTALL_DATADIR}/doc/${package})
  install(FILES ${deb}/copyright ${made}/changelog DESTINATION ${doc} COMPONENT ${component})
  configure_file(${deb}/${package}.lintian-overrides ${made}/overrides/${package} COPYONLY)
  install(CODE "
    if(CMAKE_INSTALL_PREFIX STREQUAL \"/usr\")
      file(INSTALL \"${made}/changelog.Debian\" DESTINATION \"/usr/${doc}\")
      file(INSTALL \"${made}/overrides/${package}\" DESTINATION /usr/share/lintian/overrides)
    endif()" COMPONENT ${component})
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME lockd)
set(CPACK_PACKAGE_CONTACT ${LOCKD_PACKAGE_CONTACT})
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR})
set(CPACK_STRIP_FILES ON)
set(CPACK_PRE_BUILD_SCRIPTS ${deb}/strip.cmake ${deb}/compress.cmake)
set(CPACK_COMPONENTS_ALL ${components})
set(CPACK_COMPONENTS_GROUPING IGNORE)  # each component is a package
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_COMPONENT_LOCKD_DESCRIPTION "lock server with a line protocol
Programs on many machines take named locks from it, over TCP or a Unix
socket, with the ease of memcached: exclusive locks, counted shared locks,
waiting in line, and fencing tokens.

A lock lasts as long as the connection that took it: a client that crashes,
is killed or loses its network gives up its locks, with no lease to tune and
none to renew.")
set(CPACK_DEBIAN_LOCKD_PACKAGE_NAME lockd)
set(CPACK_DEBIAN_LOCKD_PACKAGE_SECTION net)
set(CPACK_DEBIAN_LOCKD_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_LOCKD_PACKAGE_DEPENDS adduser)
set(CPACK_DEBIAN_LOCKD_PACKAGE_SUGGESTS "munin-node, python3")  # the plugin and what it is written in
set(CPACK_DEBIAN_LOCKD_PACKAGE_CONTROL_EXTRA ${deb}/conffiles ${deb}/postinst ${deb}/prerm ${deb}/postrm)

set(CPACK_COMPONENT_DEV_DESCRIPTION "lock server with a line protocol - client library
Headers, the static library and the CMake package of the C++ client of lockd,
a lock server whose locks last as long as the connection that took them.")
set(CPACK_DEBIAN_DEV_PACKAGE_NAME liblockd-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEV_PACKAGE_SUGGESTS lockd)

include(CPack)
