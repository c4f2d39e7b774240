#!/usr/bin/env python3
"""stoq new and stoq install, what they refuse above all. Needs $STOQ (the program) and $CXX.

Nearly all packages here build nothing of weight; guide_test.py builds and runs real ones.
"""
import io
import os
import pathlib
import re
import shutil
import signal
import stat
import subprocess
import tarfile
import tempfile
import time
import unittest
import zipfile

STOQ = os.environ["STOQ"]
os.environ["STOQ_CONFIG"] = ""  # no stoq.cfg of this machine
os.environ.pop("STOQ_PLUGIN_PATH", None)
os.environ["CMAKE_BUILD_TYPE"] = "None"  # the compiler's own default: no optimisation
PATIENCE = 120  # seconds

DESCRIPTION = """[Core]
Name = {name}
Module = {name}
[Documentation]
Author = a
Version = 1
Website = w
Description = d
[options]
hashpayload = True
saveresults = True
"""
BUILD = """cmake_minimum_required(VERSION 3.25)
project({name} LANGUAGES CXX)
find_package(stoq REQUIRED)
stoq_add_plugin(worker {name})
"""


class PackageTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="stoq-package-")
        self.addCleanup(folder.cleanup)
        self.place = pathlib.Path(folder.name)
        self.temp = self.place / "tmp"
        self.temp.mkdir()
        self.plugins = self.place / "plugins"

    def write(self, files, below="."):
        """A dictionary of texts by path."""
        for name, text in files.items():
            path = self.place / below / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def package(self, name="demo", **changes):
        """Writes NAME-plugin/; changes: files by suffix ("cmake", "stoq", "cpp"; None: leave out)."""
        texts = {"cmake": BUILD.format(name=name), "stoq": DESCRIPTION.format(name=name),
                 "cpp": "int nothing = 0;\n", **changes}
        paths = {"cmake": "CMakeLists.txt", "stoq": f"{name}/{name}.stoq", "cpp": f"{name}/{name}.cpp"}
        self.write({paths[kind]: text for kind, text in texts.items() if text is not None},
                   f"{name}-plugin")
        return f"{name}-plugin"

    def environment(self, **more):
        return {**os.environ, "TMPDIR": str(self.temp), **more}

    def stoq(self, *arguments, **environment):
        return subprocess.run([STOQ, *map(str, arguments)], cwd=self.place, timeout=PATIENCE,
                              capture_output=True, text=True, env=self.environment(**environment),
                              check=False)

    def install(self, package, *arguments, **environment):
        return self.stoq("install", package, "--plugin-dir", self.plugins, *arguments, **environment)

    def refused(self, package, *saying, left=(), **environment):
        """Nothing is installed, nothing is left behind, and one line says why."""
        run = self.install(package, *environment.pop("arguments", ()), **environment)
        self.assertEqual(run.returncode, 2, run)
        last = run.stderr.splitlines()[-1]
        self.assertTrue(last.startswith("stoq: "), run.stderr)
        for text in saying:
            self.assertIn(text, last)
        self.assertNotIn("complete", run.stdout)
        self.nothing_left(left)
        return run

    def refused_with_log(self, package, saying, output):
        """The end of the output is shown, all of it is kept."""
        run = self.install(package)
        self.assertEqual(run.returncode, 2, run)
        self.assertIn(output, run.stderr)
        last = run.stderr.splitlines()[-1]
        self.assertIn(saying, last)
        log = pathlib.Path(re.search(r"all of the output is in (\S+)$", last).group(1))
        self.assertIn(output, log.read_text())
        self.nothing_left([log.name])
        log.unlink()
        return run

    def nothing_left(self, but=()):
        self.assertFalse(self.plugins.exists())
        self.assertEqual(sorted(os.listdir(self.temp)), sorted(but))


class New(PackageTest):
    def test_refuses(self):
        (self.place / "there-plugin").mkdir()
        for arguments, saying in ((("worker",), "NAME is required"),
                                  (("wroker", "x"), "did you mean 'worker'?"),
                                  (("thing", "x"), "it is one of worker, connector"),
                                  (("worker", "My-Plugin"), "use lower-case letters"),
                                  (("worker", "../x"), "use lower-case letters"),
                                  (("worker", "9x"), "use lower-case letters"),
                                  (("worker", "there"), "'there-plugin' exists"),
                                  (("worker", "x", "--into", "nowhere"), "no folder 'nowhere'")):
            with self.subTest(arguments):
                run = self.stoq("new", *arguments)
                self.assertEqual(run.returncode, 2, run)
                self.assertIn(saying, run.stderr)
        self.assertEqual(sorted(os.listdir(self.place)), ["there-plugin", "tmp"])
        self.assertEqual(os.listdir(self.place / "there-plugin"), [])

    def test_a_program_without_its_files(self):
        alone = self.place / "bin" / "stoq"
        alone.parent.mkdir()
        shutil.copy(STOQ, alone)
        self.package()
        for arguments, saying in ((("new", "worker", "x"), "share/stoq/skeletons is missing"),
                                  (("install", "demo-plugin", "--plugin-dir", "p"), "cmake/stoq is missing")):
            with self.subTest(arguments):
                run = subprocess.run([alone, *arguments], cwd=self.place, env=self.environment(),
                                     capture_output=True, text=True, timeout=PATIENCE, check=False)
                self.assertEqual(run.returncode, 2, run)
                self.assertIn(saying, run.stderr)
                self.assertIn("cmake --install", run.stderr)
        self.assertEqual(sorted(os.listdir(self.place)), ["bin", "demo-plugin", "tmp"])
        self.nothing_left()

    def test_writes_a_package(self):
        self.write({"work/keep": ""})
        run = self.stoq("new", "decoder", "my_format", "--into", "work")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        package = self.place / "work" / "my_format-plugin"
        found = sorted(str(path.relative_to(package)) for path in package.rglob("*") if path.is_file())
        self.assertEqual(found, ["CMakeLists.txt", "my_format.yar", "my_format/my_format.cpp",
                                 "my_format/my_format.stoq", "tests/my_format_test.cpp"])
        for path in found:
            text = (package / path).read_text()
            self.assertNotIn("template_", text, path)
            self.assertNotIn("TemplateClass", text, path)
        self.assertIn("class MyFormat : public stoq::Decoder", (package / found[2]).read_text())
        self.assertEqual(stat.S_IMODE(package.stat().st_mode) & 0o500, 0o500)
        for name in [*found, " stoq install work/my_format-plugin\n"]:
            self.assertIn(name, run.stdout)


class Refused(PackageTest):
    def test_what_is_no_package(self):
        self.write({"empty/keep": "", "flat/demo.stoq": DESCRIPTION.format(name="demo"),
                    "file": "no archive\n" * 100})
        self.package("nobuild", cmake=None)
        self.package("nosource", cpp=None)
        self.package("module", stoq=DESCRIPTION.format(name="module").replace("Module = module", "Module = code"))
        self.package("noname", stoq="[Core]\nModule = noname\n")
        self.package("other", stoq=DESCRIPTION.format(name="another"))
        self.package("broken", stoq="[Core\n")
        self.package("two")
        self.write({"more/more.stoq": DESCRIPTION.format(name="more"), "more/more.cpp": ""}, "two-plugin")
        for package, *saying in (("nowhere", "'nowhere' is not there"),
                                 ("empty", "empty: no plugin in it", "stoq new"),
                                 ("flat", "no plugin in it", "a folder NAME with NAME.stoq"),
                                 ("file", "file: no archive that can be read"),
                                 ("nobuild-plugin", "no CMakeLists.txt"),
                                 ("nosource-plugin", "nosource.cpp", "nothing to build"),
                                 ("module-plugin", "module: has no code.cpp, which Module names"),
                                 ("noname-plugin", "noname.stoq: [Core] lacks 'Name'"),
                                 ("other-plugin", "called 'another'", "another/another.stoq"),
                                 ("broken-plugin", "broken.stoq:1"),
                                 ("two-plugin", "more than one plugin", "more.stoq", "two.stoq")):
            with self.subTest(package):
                self.refused(package, *saying)

    def test_what_cmake_says(self):
        self.package("nothing", cmake="cmake_minimum_required(VERSION 3.25)\nproject(x LANGUAGES NONE)\n")
        self.refused("nothing-plugin", "CMakeLists.txt: builds no plugin called nothing",
                     "stoq_add_plugin(CATEGORY nothing)")
        self.package("key", stoq=DESCRIPTION.format(name="key").replace("saveresults = True\n", ""))
        self.refused("key-plugin", "key/key.stoq", "lacks 'saveresults'", "every worker")
        self.package("words", cmake=BUILD.format(name="words").replace("worker", "wroker"))
        self.refused_with_log("words-plugin", "configuring words failed",
                              "category 'wroker' is none of")

    def test_what_does_not_build_or_fails_its_test(self):
        self.package("syntax", cpp="int main( {\n")
        self.refused_with_log("syntax-plugin", "building syntax failed", "syntax.cpp:1:")
        self.package("failing", cmake=BUILD.format(name="failing") +
                     "enable_testing()\nadd_test(NAME one COMMAND sh -c \"mktemp; echo it went wrong; false\")\n")
        self.refused_with_log("failing-plugin", "testing failing failed", "it went wrong")
        self.package("passing", cmake=BUILD.format(name="passing") +
                     "enable_testing()\nadd_test(NAME one COMMAND true)\n")
        run = self.refused("passing-plugin", "passing cannot be used", "passing.so: not a stoq plugin",
                           "STOQ_PLUGIN(Class)")
        self.assertIn("[+] Its tests pass\n", run.stdout)

    def test_without_the_tools(self):
        (self.place / "bin").mkdir()
        self.refused(self.package(), "cmake cannot be started", "is it installed?",
                     PATH=str(self.place / "bin"))
        self.write({"requirements.txt": "dpkg\n"}, "demo-plugin")
        self.refused("demo-plugin", "dpkg-query cannot be started", PATH=str(self.place / "bin"))

    def test_a_place_that_cannot_be_written(self):
        self.write({"file": ""})
        self.plugins = self.place / "file" / "plugins"
        self.refused(self.package(), "plugins cannot be installed into", "--plugin-dir")
        if os.geteuid() != 0:
            locked = self.place / "locked"
            locked.mkdir(mode=0o555)
            self.plugins = locked / "plugins"
            self.refused("demo-plugin", "Permission denied", "--plugin-dir")

    def test_a_file_or_link_where_the_plugin_would_be(self):
        place = self.plugins / "worker" / "demo"
        place.parent.mkdir(parents=True)
        for make, left in ((lambda: place.write_text("mine"), lambda: place.read_text() == "mine"),
                           (lambda: place.symlink_to("nowhere"), lambda: os.readlink(place) == "nowhere")):
            make()
            run = self.install(self.package())
            self.assertEqual(run.returncode, 2)
            self.assertNotIn("Building", run.stdout)
            self.assertIn("demo exists and is left as it is, nothing is installed; remove or rename it, "
                          "or replace it with --upgrade", run.stderr)
            self.assertTrue(left())
            self.assertEqual(os.listdir(place.parent), ["demo"])
            place.unlink()

    def test_a_plugin_that_is_there(self):
        for there in ("demo/anything", "other/demo.stoq"):
            with self.subTest(there):
                self.write({there: DESCRIPTION.format(name="demo")}, self.plugins / "worker")
                run = self.install(self.package())
                self.assertEqual(run.returncode, 2)
                self.assertNotIn("Building", run.stdout)
                self.assertEqual((self.plugins / "worker" / there).read_text(),
                                 DESCRIPTION.format(name="demo"))
                self.assertEqual(os.listdir(self.plugins / "worker"), [there.split("/")[0]])
                self.assertIn("--upgrade" if there.startswith("demo") else "is another worker:demo",
                              run.stderr)
                shutil.rmtree(self.plugins)


class Requirements(PackageTest):
    def programs(self, installed):
        """Stand-ins for the package manager, first on the path: `installed` names packages."""
        (self.place / "installed").write_text("".join(f"installed {name}\n" for name in installed))
        for name, text in (("dpkg-query", 'cat "$PLACE/installed"'),
                           ("sudo", 'exec "$@"'),
                           ("apt-get", 'echo "$@" >> "$PLACE/calls"\n[ -e "$PLACE/broken" ] && exit 100\n'
                                       'echo "installed libdemo-dev" >> "$PLACE/installed"')):
            path = self.place / "bin" / name
            path.parent.mkdir(exist_ok=True)
            path.write_text("#!/bin/sh\n" + text + "\n")
            path.chmod(0o755)
        return {"PATH": f"{self.place / 'bin'}:{os.environ['PATH']}", "PLACE": str(self.place)}

    def demo(self, requirements):
        package = self.package(cmake="cmake_minimum_required(VERSION 3.25)\nproject(x LANGUAGES NONE)\n")
        self.write({"requirements.txt": requirements}, package)
        return package

    def test_names_what_is_missing(self):
        # What dpkg-query really says.
        package = self.demo("# for the format\nstoq-no-such-package-1\n\nstoq-no-such-package-2  # too\ndpkg\n")
        self.refused(package, "needs packages that are not installed: "
                     "stoq-no-such-package-1, stoq-no-such-package-2;",
                     "'apt-get install stoq-no-such-package-1 stoq-no-such-package-2'",
                     "--with-requirements")

    def test_goes_on_when_all_are_there(self):
        self.refused(self.demo("dpkg\nlibc6\n"), "builds no plugin called demo")

    def test_lines_that_are_no_package(self):
        for line in ("requests==2.0", "--option", "-x", "a b", "libx-", "Upper", "../x"):
            with self.subTest(line):
                self.refused(self.demo("dpkg\n" + line + "\n"), "requirements.txt:2", f"'{line}'")

    def test_installs_when_asked_to(self):
        environment = self.programs(["dpkg"])
        self.refused(self.demo("dpkg\nlibdemo-dev\n"), "builds no plugin called demo",
                     arguments=["--with-requirements"], **environment)
        self.assertEqual((self.place / "calls").read_text(),
                         "install --yes --no-install-recommends libdemo-dev\n")

    def test_says_when_that_fails(self):
        environment = self.programs([])
        self.write({"broken": ""})
        self.refused(self.demo("libdemo-dev\n"), "apt-get (exit code 100) did not install libdemo-dev",
                     arguments=["--with-requirements"], **environment)


class Archives(PackageTest):
    def tar(self, name, *members):
        """Members: (name, content or a TarInfo type, target)."""
        with tarfile.open(self.place / name, "w:gz") as archive:
            for member, content, *target in members:
                info = tarfile.TarInfo(member)
                if isinstance(content, str):
                    info.size = len(content)
                    archive.addfile(info, io.BytesIO(content.encode()))
                else:
                    info.type = content
                    info.linkname = target[0] if target else ""
                    archive.addfile(info)
        return name

    def test_names_and_kinds_that_are_refused(self):
        outside = self.place / "outside"
        for member, saying in ((("../../outside", "x"), "leads out of the package"),
                               (("demo-plugin/../../outside", "x"), "leads out of the package"),
                               ((str(outside), "x"), "leads out of the package"),
                               (("link", tarfile.SYMTYPE, str(self.place)), "is a link"),
                               (("link", tarfile.LNKTYPE, "/etc/passwd"), "is a link"),
                               (("pipe", tarfile.FIFOTYPE), "no file and no folder"),
                               (("null", tarfile.CHRTYPE), "no file and no folder")):
            with self.subTest(member):
                self.refused(self.tar("bad.tar.gz", ("demo-plugin/a", "x"), member,
                                      ("link/outside", "x")), saying)
                self.assertFalse(outside.exists())
        with zipfile.ZipFile(self.place / "bad.zip", "w") as archive:
            archive.writestr("../outside", "x")
        self.refused("bad.zip", "leads out of the package")
        self.assertFalse(outside.exists())

    def test_a_broken_one(self):
        whole = self.place / self.tar("cut.tar.gz", ("a/a", os.urandom(9000).hex()))
        whole.write_bytes(whole.read_bytes()[:5000])
        self.refused("cut.tar.gz", "cut.tar.gz: ", "truncated gzip input")
        self.refused(self.tar("twice.tar.gz", ("a", "x"), ("a", "y")), "File exists")

    def test_each_form_is_unpacked(self):
        """As far as to the step that needs a compiler."""
        package = self.package(cmake="cmake_minimum_required(VERSION 3.25)\nproject(x LANGUAGES NONE)\n")
        for form, ending in (("gztar", ".tar.gz"), ("bztar", ".tar.bz2"), ("xztar", ".tar.xz"),
                             ("tar", ".tar"), ("zip", ".zip")):
            for base in (None, package):  # the folder itself, or what is in it
                with self.subTest(ending, base=base):
                    archive = self.place / f"archive{ending}"
                    if base:
                        shutil.make_archive(self.place / "archive", form, self.place / package)
                    else:
                        shutil.make_archive(self.place / "archive", form, self.place, package)
                    self.refused(archive, "builds no plugin called demo")
                    archive.unlink()


class Signals(PackageTest):
    def interrupt_once(self, package, file, number):
        """Sends the signal once the package's own program runs; that one must be gone as well."""
        with subprocess.Popen([STOQ, "install", package, "--plugin-dir", self.plugins], cwd=self.place,
                              env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as run:
            deadline = time.monotonic() + PATIENCE
            while not (file.exists() and file.read_text().strip()):
                self.assertLess(time.monotonic(), deadline)
                self.assertIsNone(run.poll(), "it ended by itself")
                time.sleep(0.01)
            run.send_signal(number)
            _, errors = run.communicate(timeout=PATIENCE)
        self.assertEqual((run.returncode, errors), (130, "stoq: interrupted; nothing is installed\n"))
        with self.assertRaises(ProcessLookupError):
            os.kill(int(file.read_text()), 0)
        self.nothing_left()
        file.unlink()

    def test_while_it_builds_and_while_it_tests(self):
        file = self.place / "pid"
        build = BUILD.format(name="demo")
        self.package(cmake=build + f"add_custom_target(slow ALL COMMAND sh \"{self.place}/wait\")\n")
        # As a compiler that is ended: its temporary file stays.
        self.write({"wait": f"mktemp >&2 || exit\necho $$ > '{file}'\nexec sleep 1000\n"})
        self.interrupt_once("demo-plugin", file, signal.SIGINT)
        self.package(cmake=build + f"enable_testing()\nadd_test(NAME slow COMMAND sh \"{self.place}/wait\")\n")
        self.interrupt_once("demo-plugin", file, signal.SIGTERM)
        # One that will not be asked.
        self.write({"wait": f"trap '' TERM INT HUP\nmktemp >&2 || exit\necho $$ > '{file}'\nwhile :; do sleep 1000; done\n"})
        self.interrupt_once("demo-plugin", file, signal.SIGHUP)


class Built(PackageTest):
    """What only a compiled plugin shows."""
    SOURCE = """#include <stoq/plugin.hpp>
#include <string>
std::int64_t version();
namespace {{
class Demo : public stoq::Worker {{
 public:
  stoq::Value scan(const stoq::Payload&, const stoq::Request&) const override {{
    return {{{{"version", version()}}}};
  }}
}};
}}  // namespace
{version}
STOQ_PLUGIN(Demo)
"""

    def source(self, version):
        text = f"std::int64_t version() {{ return {version}; }}" if version else ""
        return self.SOURCE.format(version=text)

    def test_a_library_that_does_not_fit(self):
        as_decoder = BUILD.format(name="demo").replace("worker", "decoder")
        flags = BUILD.format(name="demo").replace("stoq_add", "add_compile_definitions(_GLIBCXX_DEBUG)\nstoq_add")
        for changes, *saying in (({"cmake": as_decoder}, "built as a decoder, but its class is a worker"),
                                 ({"cmake": flags}, "demo.so: built with another standard library or debug mode"),
                                 ({"cpp": self.source(None)}, "demo.so: cannot be loaded", "undefined symbol",
                                  "LIBRARIES of stoq_add_plugin")):
            with self.subTest(saying):
                self.refused(self.package(**{"cpp": self.source(1), **changes}),
                             "demo cannot be used, nothing is installed", *saying)

    def test_a_library_that_is_not_called_as_the_plugin_is(self):
        package = self.package(stoq=DESCRIPTION.format(name="demo").replace("Module = demo", "Module = code"),
                               cpp=None)
        self.write({"demo/code.cpp": self.source(3), "file": "x"}, package)
        run = self.install(package)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(sorted(os.listdir(self.plugins / "worker" / "demo")), ["code.so", "demo.stoq"])
        with self.scan() as running:
            out, _ = running.communicate(f"{package}/file\n", timeout=PATIENCE)
        self.assertIn('"demo":{"version":3}', out)

    def test_a_class_that_lacks_what_its_category_needs(self):
        """The compiler says which method."""
        for category, method in (("worker", "scan"), ("connector", "save"), ("reader", "read"),
                                 ("source", "ingest"), ("extractor", "extract"), ("carver", "carve"),
                                 ("decoder", "decode")):
            with self.subTest(category):
                base = f"stoq::{category.capitalize()}"
                name = f"bare_{category}"
                text = f"#include <stoq/plugin.hpp>\nclass Bare : public {base} {{}};\nSTOQ_PLUGIN(Bare)\n"
                self.package(name, cmake=BUILD.format(name=name).replace("(worker", f"({category}"),
                             stoq=DESCRIPTION.format(name=name) + "multiprocess = False\n", cpp=text)
                run = self.refused_with_log(f"{name}-plugin", f"building {name} failed",
                                            "STOQ_PLUGIN needs a class that implements")
                self.assertIn(f"{base}::{method}(", run.stderr)

    def scan(self):
        return subprocess.Popen([STOQ, "scan", "-q", "-w", "demo", "--plugin-dir", self.plugins,
                                 "--files-from", "-"],
                                cwd=self.place, env=self.environment(), stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def test_a_run_goes_on_with_the_plugin_that_it_has(self):
        self.write({"file": "x"})
        run = self.install(self.package(cpp=self.source(1)))
        self.assertEqual(run.returncode, 0, run.stderr)
        library = self.plugins / "worker" / "demo" / "demo.so"
        before = library.stat().st_ino
        with self.scan() as running:
            deadline = time.monotonic() + PATIENCE
            while str(library) not in pathlib.Path(f"/proc/{running.pid}/maps").read_text():
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.01)
            run = self.install(self.package(cpp=self.source(2)), "--upgrade")
            self.assertEqual(run.returncode, 0, run.stderr)
            self.assertNotEqual(library.stat().st_ino, before)
            old, _ = running.communicate("file\n", timeout=PATIENCE)
        with self.scan() as running:
            new, _ = running.communicate("file\n", timeout=PATIENCE)
        self.assertIn('"demo":{"version":1}', old)
        self.assertIn('"demo":{"version":2}', new)
        self.assertEqual(os.listdir(self.plugins), ["worker"])
        self.assertEqual(os.listdir(self.plugins / "worker"), ["demo"])
        self.assertEqual(os.listdir(self.temp), [])


if __name__ == "__main__":
    unittest.main(verbosity=1)
