/// The formats of the archive extractor that libarchive does not read, or reads less well. Each
/// function brings out all members of one payload; thread-safe.
#pragma once

#include <string>
#include <vector>

#include <stoq/plugin.hpp>

namespace archive_plugin {

/// LHarc, LHA, LArc and PMarc, with liblhasa: libarchive lacks -lh1-, -lzs-, -lz5- and -pm*-, and
/// many headers of old programs. False when liblhasa finds no member.
[[nodiscard]] bool extract_lha(const stoq::Payload& payload, const stoq::Request& request,
                               stoq::Children& children);

/// Microsoft cabinets, with libmspack: all of its methods, also Quantum.
void extract_cab(const stoq::Payload& payload, const stoq::Request& request,
                 stoq::Children& children);

/// RPM packages: finds the payload behind lead, signature and header, and emits it as it is.
void extract_rpm(const stoq::Payload& payload, const stoq::Request& request,
                 stoq::Children& children);

/// 7z, with decoders of our own around liblzma and others. False, with nothing brought out, when
/// the payload does not begin as one, or uses PPMd: libarchive reads those.
[[nodiscard]] bool extract_7z(const stoq::Payload& payload, const stoq::Request& request,
                              const std::vector<std::string>& passwords, stoq::Children& children);

/// Whether a volume descriptor of ISO 9660 is where it belongs.
[[nodiscard]] bool is_iso(stoq::ByteView image) noexcept;

/// Throws MalformedInput for an ISO 9660 image that libarchive would follow without end: Rock
/// Ridge continuation areas that lead back to themselves.
void check_iso(stoq::ByteView image, const stoq::Request& request);

}  // namespace archive_plugin
