"""The default workers over the whole corpus: where the CPU time goes."""
from ..contest import Contest
from ..corpus import total
from ..measure import Program
from ..stoq import FINISHED

ROUNDS = 2


def contests(bench):
    """stoq with the default workers over all folders; its run.json, with costs by plugin, goes into the report"""
    folders = bench.corpus.there()
    files = bench.corpus.files(*folders)
    program = Program(f"stoq -j{bench.threads}", [bench.stoq.scan("default", folders)],
                      "default workers (mimetype, entropy), opens everything, a JSON record each to a file", accept=FINISHED, rounds=ROUNDS)
    yield Contest("default", "default workers, all folders", len(files), total(files), [program], [],
                  lambda: {"run_json": bench.stoq.run_json("default")})
