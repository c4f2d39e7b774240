"""What a section is given: the corpus, the program under test, the tools that are there."""
import shutil

from .corpus import Missing

# Debian package of each tool beside stoq, and how it says its version.
TOOLS = {
    "sha256sum": ("coreutils", ["--version"]), "md5sum": ("coreutils", ["--version"]), "xargs": ("findutils", ["--version"]),
    "time": ("time", ["--version"]), "rhash": ("rhash", ["--version"]), "hashdeep": ("hashdeep", ["-V"]),
    "openssl": ("openssl", ["version"]), "yara": ("yara", ["--version"]), "bsdtar": ("libarchive-tools", ["--version"]),
    "7z": ("7zip", []), "unzip": ("unzip", ["-v"]), "clamscan": ("clamav", ["--version"]), "binwalk": ("binwalk", ["--help"]),
    "file": ("file", ["--version"]), "zstd": ("zstd", ["--version"]),
}


class Bench:
    def __init__(self, corpus, stoq, work, threads, rules):
        self.corpus, self.stoq, self.work, self.threads, self.rules = corpus, stoq, work, threads, rules
        self.skipped = []

    def has(self, tool, for_what):
        """Whether a tool is there; when not, its rows are skipped, and that is said."""
        if shutil.which(tool):
            return True
        self.skip(for_what, f"{tool} is not installed: apt-get install {TOOLS[tool][0]}")
        return False

    def skip(self, for_what, why):
        self.skipped.append({"row": for_what, "why": why})
        print(f"\n*** SKIPPED: {for_what}: {why}\n", flush=True)

    def need(self, tool):
        if not shutil.which(tool):
            raise Missing(f"{tool} is not installed: apt-get install {TOOLS[tool][0]}")
