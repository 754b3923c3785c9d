# find_package(lockd): the target lockd::client, the C++ client library. C++20.
include(CMakeFindDependencyMacro)
find_dependency(Threads)
include(${CMAKE_CURRENT_LIST_DIR}/lockd-targets.cmake)
