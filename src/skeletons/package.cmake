# 'stoq install' of this folder builds, tests and installs the plugin. By hand:
#   cmake -B build -D CMAKE_PREFIX_PATH=WHERE_STOQ_IS && cmake --build build && ctest --test-dir build
cmake_minimum_required(VERSION 3.25)
project(template_name LANGUAGES CXX)
find_package(stoq template_version REQUIRED)
enable_testing()

# Further sources: SOURCES FILE…; libraries: LIBRARIES TARGET…; data that it reads: FILES FILE….
stoq_add_plugin(template_category template_name TESTS tests/template_name_test.cpp)
