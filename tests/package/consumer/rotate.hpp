#pragma once

/// A Latin letter thirteen places on, anything else as it is.
char rotated(char letter) noexcept;
