/// Tries out whether libyara finds the same when it is shown windows.
#pragma once

/// False when this libyara keeps its rules, or asks for its blocks, in another way than
/// needles_of() and search_windows() expect. Call it while libyara is initialised.
[[nodiscard]] bool windows_find_the_same();
