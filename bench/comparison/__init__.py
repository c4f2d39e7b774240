"""The parts of bench/compare: what is run, how it is measured, and what is said of it."""
