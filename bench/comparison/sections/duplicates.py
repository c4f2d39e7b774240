"""A corpus in which every content stands twice, beside one of as many files and bytes without duplicates."""
from ..contest import Contest, Ratio
from ..corpus import Corpus, Missing, total
from ..measure import Program
from ..stoq import FINISHED

ROUNDS = 3


def contests(bench):
    """stoq with the default workers on dup/ and unique/ of the folder dup-NAME beside the corpus"""
    root = bench.corpus.root.with_name("dup-" + bench.corpus.root.name)
    if not root.is_dir():
        raise Missing(f"there is no {root}: scripts/corpus makes it")
    corpus = Corpus(root, bench.work)
    unique, doubled = corpus.files("unique"), corpus.files("dup")
    programs = [Program(name, [bench.stoq.scan(name, [folder])], "default workers, opens everything, a JSON record each to a file",
                        accept=FINISHED, rounds=ROUNDS) for name, folder in (("stoq, doubled", "dup"), ("stoq, unique", "unique"))]
    ratio = Ratio("stoq, doubled", "stoq, unique", asked=1.6, times=total(doubled) / total(unique))
    yield Contest("duplicates", "half of the files duplicates", len(unique), total(unique), programs, [ratio], cwd=root)
