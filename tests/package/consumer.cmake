# Builds the decoder of consumer/ against an installed stoq (prefix) as anybody would, and scans a file
# with it: first from its build tree (--plugin-dir), then installed.
cmake_minimum_required(VERSION 3.25)

# run(<variable> <command>...): the command's output; ends the test when its status is not 0.
function(run variable)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE out ERROR_VARIABLE err)
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "status ${status} of: ${command}\n${out}${err}")
  endif()
  set(${variable} "${out}" PARENT_SCOPE)
endfunction()

function(expect text wanted what)
  string(FIND "${text}" "${wanted}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "${what}: expected ${wanted} in\n${text}")
  endif()
endfunction()

# The text that input.txt turns into, as `tr A-Za-z N-ZA-Mn-za-m | sha256sum` sees it.
set(plain_sha256 48439eccae1ae85a6775896dcf49e28920b962ba5be1f7ebd34b3da6dc4256f9)
set(stoq ${prefix}/${bin}/stoq)

file(REMOVE_RECURSE ${work})
file(MAKE_DIRECTORY ${work})
run(out ${stoq} --version)
expect("${out}" "${version}" "stoq --version of the install tree")

run(ignored ${CMAKE_COMMAND} -S ${source} -B ${work}/build -G ${generator}
  -D CMAKE_CXX_COMPILER=${compiler} -D CMAKE_PREFIX_PATH=${prefix} -D stoq_version=${version})
run(ignored ${CMAKE_COMMAND} --build ${work}/build)

set(extra --plugin-dir ${work}/build/lib/stoq/plugins)
foreach(where IN ITEMS "build tree" "install tree")
  run(out ${stoq} list ${extra})
  expect("${out}" caesar "stoq list, plugin in its ${where}")
  run(ignored ${stoq} scan ${extra} -w none --dispatch-rules ${source}/caesar.yar
    -o ${work}/results.jsonl ${source}/input.txt)
  file(READ ${work}/results.jsonl results)
  expect("${results}" "\"sha256\":\"${plain_sha256}\"" "stoq scan, plugin in its ${where}")
  expect("${results}" "\"plugin\":\"caesar\"" "stoq scan, plugin in its ${where}")
  run(ignored ${CMAKE_COMMAND} --install ${work}/build --prefix ${prefix})
  set(extra "")
endforeach()
if(NOT EXISTS ${prefix}/${plugins}/decoder/caesar/caesar.so)
  message(FATAL_ERROR "the consumer's plugin was not installed beside stoq's own")
endif()

# What scripts/new-plugin writes compiles, outside the tree too; guide_test.py builds the same
# skeletons of all categories as `stoq new` writes them.
run(ignored ${scripts}/new-plugin decoder my_decoder --into ${work}/new)
file(WRITE ${work}/new/CMakeLists.txt "cmake_minimum_required(VERSION 3.25)
project(new LANGUAGES CXX)
find_package(stoq ${version} REQUIRED)
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror)
add_subdirectory(plugins/decoder/my_decoder)")
run(ignored ${CMAKE_COMMAND} -S ${work}/new -B ${work}/new/build -G ${generator}
  -D CMAKE_CXX_COMPILER=${compiler} -D CMAKE_PREFIX_PATH=${prefix})
run(ignored ${CMAKE_COMMAND} --build ${work}/new/build)
run(out ${stoq} list --plugin-dir ${work}/new/build/lib/stoq/plugins)
expect("${out}" my_decoder "stoq list, plugins of scripts/new-plugin")
