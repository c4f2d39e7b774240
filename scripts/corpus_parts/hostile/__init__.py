"""The hostile set: archives made to cost much, to lie, to hide or to be written where they must not. One module a
family; all bytes are made here, by Python alone, so that two runs give the same tree."""
from .build import build, truth_line

__all__ = ["build", "truth_line"]
