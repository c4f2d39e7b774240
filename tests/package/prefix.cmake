# Installs this build into a folder of its own, once for all tests of packages.
cmake_minimum_required(VERSION 3.25)
file(REMOVE_RECURSE ${prefix})
execute_process(COMMAND ${CMAKE_COMMAND} --install ${build} --prefix ${prefix}
  OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
