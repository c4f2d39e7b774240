"""The corpus that scripts/corpus made: its folders, their files, and parts of them."""
import hashlib
import json
import os
import pathlib

FOLDERS = ("small", "large", "nested", "jars", "pdf", "elf", "pe")


class Missing(Exception):
    """A folder or a program that a section needs is not there."""


class Corpus:
    def __init__(self, root, work):
        self.root, self.work = pathlib.Path(root).resolve(), work
        self.lists = 0

    def files(self, *folders):
        """(path below the root, size), bytewise by path."""
        found = []
        for folder in folders:
            if not (self.root / folder).is_dir():
                raise Missing(f"the corpus has no folder {folder}")
            for top, _, names in os.walk(self.root / folder):
                for name in names:
                    path = os.path.join(top, name)
                    if os.path.isfile(path) and not os.path.islink(path):
                        found.append((os.path.relpath(path, self.root), os.path.getsize(path)))
        if not found:
            raise Missing(f"no files in {', '.join(folders)}")
        return sorted(found, key=lambda entry: os.fsencode(entry[0]))

    def there(self):
        return [folder for folder in FOLDERS if (self.root / folder).is_dir()]

    def warm(self, files):
        """Reads all bytes, so that the page cache holds them."""
        for path, _ in files:
            with open(self.root / path, "rb", buffering=0) as file:
                while file.read(1 << 20):
                    pass

    def write_list(self, files, end=b"\0"):
        """A file that names them; returns its path."""
        self.lists += 1
        path = self.work / f"list{self.lists}"
        path.write_bytes(b"".join(os.fsencode(name) + end for name, _ in files))
        return path

    def truth_path(self):
        return self.root.with_name(self.root.name + ".truth.jsonl")

    def truth(self, folder):
        """What independent tools found in the files of a folder: a line of scripts/corpus's truth each."""
        if self.truth_path().is_file():
            with open(self.truth_path(), encoding="utf-8") as file:
                for line in file:
                    if line.startswith(f'{{"input": "{folder}/'):
                        yield json.loads(line)

    def manifest(self):
        """What was scanned: files and bytes by folder, and a digest over all names and sizes."""
        described = {"path": str(self.root)}
        digest = hashlib.sha256()
        for folder in self.there():
            files = self.files(folder)
            for name, size in files:
                digest.update(os.fsencode(name) + b"\0" + str(size).encode() + b"\n")
            described[folder] = {"files": len(files), "bytes": total(files)}
        described["sha256_of_names_and_sizes"] = digest.hexdigest()
        made = self.root.with_name(self.root.name + ".manifest.json")
        if made.is_file():
            described["manifest"] = {key: value for key, value in json.loads(made.read_text()).items() if key != "list"}
            described["manifest_sha256"] = hashlib.sha256(made.read_bytes()).hexdigest()
        return described


def total(files):
    return sum(size for _, size in files)


def spread(files, most_bytes):
    """Files evenly over the list, about `most_bytes` of them: the same every time."""
    whole = total(files)
    if whole <= most_bytes:
        return files
    chosen, taken, passed = [], 0, 0
    for name, size in files:
        passed += size
        if taken + size <= most_bytes * passed / whole:
            chosen.append((name, size))
            taken += size
    return chosen or [min(files, key=lambda entry: entry[1])]


def halves(files):
    """Two lists of about equal bytes, for two runs side by side: the largest first, each to the lighter half."""
    parts, weights = ([], []), [0, 0]
    for name, size in sorted(files, key=lambda entry: (-entry[1], entry[0])):
        lighter = 0 if weights[0] <= weights[1] else 1
        parts[lighter].append((name, size))
        weights[lighter] += size + 4096  # a file costs something even when it is empty
    return sorted(parts[0]), sorted(parts[1])
