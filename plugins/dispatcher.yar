// Which plugin sees which payload. A rule's metas:
//   plugin   "category:name", or several with commas between: who gets what the rule hits
//   type     what the payload is called in the record and in a worker's type_list
//   save     "True": children are marked to be archived
//   not_from "category:name, …": children of these plugins are spared (stops loops)
// All other metas are arguments of the call. Rules run on every payload, so none imports a module,
// strings begin with bytes that are rare, and what is said first of a payload is what most lack.
// Where no string is found, stoq evaluates the conditions itself, in a few nanoseconds each, if all of
// this file asks for no more than the payload's integers and size, constant loops and strings.

// --- archives ---------------------------------------------------------------------------------

rule zip_at_start {
  meta:
    plugin = "extractor:zip"
    save = "True"
    type = "zip"
  condition:
    uint16(0) == 0x4b50 and
    (uint16(2) == 0x0403 or uint16(2) == 0x0605 or
     ((uint16(2) == 0x0807 or uint16(2) == 0x3030) and uint32(4) == 0x04034b50))
}

// Above 64 MiB a copy of a self-extractor's archive costs too much: it is opened where it is.
rule zip_at_end {
  meta:
    plugin = "extractor:zip"
    save = "True"
  strings:
    $end = { 50 4B 05 06 00 00 00 00 }
  condition:
    $end and filesize > 0x4000000 and uint16(0) != 0x4b50 and uint32(0) != 0xafbc7a37 and
    uint32(0) != 0x21726152 and $end in (filesize - 66000 .. filesize)
}

rule sevenzip {
  meta:
    plugin = "extractor:archive"
    format = "7z"
    save = "True"
    type = "7z"
  condition:
    uint32be(0) == 0x377abcaf and uint16be(4) == 0x271c
}

rule rar {
  meta:
    plugin = "extractor:archive"
    format = "rar"
    save = "True"
    type = "rar"
  condition:
    uint32be(0) == 0x52617221 and uint16be(4) == 0x1a07
}

rule cab {
  meta:
    plugin = "extractor:archive"
    format = "cab"
    save = "True"
    type = "cab"
  condition:
    uint32be(0) == 0x4d534346 and uint32(4) == 0
}

rule tar_ustar {
  meta:
    plugin = "extractor:archive"
    format = "tar"
    save = "True"
    type = "tar"
  condition:
    uint32be(257) == 0x75737461 and uint8(261) == 0x72
}

// Before POSIX there was no magic: a name, then mode, size and checksum in octal. Behind the checksum
// stands a NUL or a blank; hexadecimal text of zeros has none.
rule tar_v7 {
  meta:
    plugin = "extractor:archive"
    format = "tar"
    save = "True"
    type = "tar"
  condition:
    (uint8(156) == 0 or (uint8(156) >= 0x30 and uint8(156) <= 0x37)) and
    filesize >= 512 and uint8(0) > 0x20 and uint32be(257) != 0x75737461 and
    uint32be(0) != 0x30373037 and // a cpio's header is of digits too
    for all i in (100 .. 105) : ( uint8(i) == 0x20 or uint8(i) == 0 or (uint8(i) >= 0x30 and uint8(i) <= 0x37) ) and
    for all i in (108 .. 113) : ( uint8(i) == 0x20 or uint8(i) == 0 or (uint8(i) >= 0x30 and uint8(i) <= 0x37) ) and
    for all i in (116 .. 121) : ( uint8(i) == 0x20 or uint8(i) == 0 or (uint8(i) >= 0x30 and uint8(i) <= 0x37) ) and
    for all i in (124 .. 134) : ( uint8(i) == 0x20 or uint8(i) == 0 or (uint8(i) >= 0x30 and uint8(i) <= 0x37) ) and
    for all i in (148 .. 153) : ( uint8(i) == 0x20 or uint8(i) == 0 or (uint8(i) >= 0x30 and uint8(i) <= 0x37) ) and
    for any i in (148 .. 153) : ( uint8(i) >= 0x30 and uint8(i) <= 0x37 ) and
    for any i in (153 .. 155) : ( uint8(i) == 0 or uint8(i) == 0x20 ) and
    for any i in (124 .. 134) : ( uint8(i) >= 0x30 and uint8(i) <= 0x37 )
}

rule cpio {
  meta:
    plugin = "extractor:archive"
    format = "cpio"
    save = "True"
    type = "cpio"
  condition:
    (uint32be(0) == 0x30373037 and uint16be(4) >= 0x3031 and uint16be(4) <= 0x3037) or
    // two bytes of magic alone: a name that is not long, and ends in a zero, stands behind the header
    (uint16(0) == 0x71c7 and uint16(20) > 0 and uint16(20) < 1024 and uint8(25 + uint16(20)) == 0) or
    (uint16be(0) == 0x71c7 and uint16be(20) > 0 and uint16be(20) < 1024 and
     uint8(25 + uint16be(20)) == 0)
}

rule ar {
  meta:
    plugin = "extractor:archive"
    format = "ar"
    save = "True"
    type = "ar"
  condition:
    uint32be(0) == 0x213c6172 and uint32be(4) == 0x63683e0a
}

rule lha {
  meta:
    plugin = "extractor:archive"
    format = "lha"
    save = "True"
    type = "lha"
  condition:
    filesize > 21 and uint8(2) == 0x2d and uint8(6) == 0x2d and
    (uint16be(3) == 0x6c68 or uint16be(3) == 0x6c7a or uint16be(3) == 0x706d) and
    (uint8(5) >= 0x30 and uint8(5) <= 0x7a)
}

rule iso {
  meta:
    plugin = "extractor:archive"
    format = "iso"
    save = "True"
    type = "iso"
  condition:
    uint32be(32769) == 0x43443030 and uint8(32773) == 0x31
}

rule xar {
  meta:
    plugin = "extractor:archive"
    format = "xar"
    save = "True"
    type = "xar"
  condition:
    uint32be(0) == 0x78617221 and uint16be(4) >= 28 and uint16be(4) < 1024
}

rule warc {
  meta:
    plugin = "extractor:archive"
    format = "warc"
    save = "True"
    type = "warc"
  condition:
    uint32be(0) == 0x57415243 and uint8(4) == 0x2f
}

rule rpm {
  meta:
    plugin = "extractor:archive"
    format = "rpm"
    save = "True"
    type = "rpm"
  condition:
    uint32be(0) == 0xedabeedb
}

// --- documents --------------------------------------------------------------------------------

rule pdf {
  meta:
    plugin = "extractor:pdf"
    save = "True"
    type = "pdf"
  condition:
    uint32be(0) == 0x25504446
}

// Readers look for the header in the first 1024 bytes. What is a member of an archive is found there.
rule pdf_behind_something {
  meta:
    plugin = "extractor:pdf"
    save = "True"
    type = "pdf"
  strings:
    $header = "%PDF-"
  condition:
    $header in (1 .. 1024) and uint32be(0) != 0x25504446 and uint16(0) != 0x4b50 and
    uint32(0) != 0xafbc7a37 and uint32(0) != 0x21726152 and uint32be(0) != 0x4d534346 and
    uint32be(0) != 0x30373037 and uint16(0) != 0x71c7 and uint16be(0) != 0x71c7 and
    uint32be(0) != 0x213c6172 and uint32be(0) != 0x57415243 and
    (uint8(2) != 0x2d or uint8(6) != 0x2d) and (filesize < 261 or uint32be(257) != 0x75737461) and
    // a tar from before POSIX has the first member's bytes here
    not (@header[1] == 512 and uint32(508) == 0)
}

// --- one compressed stream --------------------------------------------------------------------

rule gzip {
  meta:
    plugin = "extractor:decompress"
    format = "gzip"
    save = "True"
    type = "gzip"
  condition:
    uint16be(0) == 0x1f8b and uint8(2) == 8
}

rule bzip2 {
  meta:
    plugin = "extractor:decompress"
    format = "bzip2"
    save = "True"
    type = "bzip2"
  condition:
    uint16be(0) == 0x425a and uint8(2) == 0x68 and uint8(3) >= 0x31 and uint8(3) <= 0x39 and
    (uint32be(4) == 0x31415926 or uint32be(4) == 0x17724538)
}

rule xz {
  meta:
    plugin = "extractor:decompress"
    format = "xz"
    save = "True"
    type = "xz"
  condition:
    uint32be(0) == 0xfd377a58 and uint16be(4) == 0x5a00
}

// No magic: properties below 225, a dictionary that encoders write, a size that can be or is unknown.
// Properties that other files begin with, as Kotlin's metadata with zeros, need the unknown one.
rule lzma_alone {
  meta:
    plugin = "extractor:decompress"
    format = "lzma"
    save = "True"
    type = "lzma"
  condition:
    uint8(13) == 0 and filesize > 13 and
    (uint8(0) == 0x5d or uint8(0) == 0x5e or uint8(0) == 0x2d or uint8(0) == 0xb4 or
     uint8(0) == 0xa2 or
     ((uint8(0) == 0x00 or uint8(0) == 0x01 or uint8(0) == 0x09) and uint32(9) == 0xffffffff)) and
    (uint32(1) == 0xffffffff or
     for any n in (12 .. 30) : ( uint32(1) == (1 << n) or uint32(1) == (3 << (n - 1)) )) and
    ((uint32(5) == 0xffffffff and uint32(9) == 0xffffffff) or uint32(9) < 64)
}

rule lzip {
  meta:
    plugin = "extractor:decompress"
    format = "lzip"
    save = "True"
    type = "lzip"
  condition:
    uint32be(0) == 0x4c5a4950 and uint8(4) < 2
}

rule zstd {
  meta:
    plugin = "extractor:decompress"
    format = "zstd"
    save = "True"
    type = "zstd"
  condition:
    uint32(0) == 0xfd2fb528 or
    (uint32(0) >= 0x184d2a50 and uint32(0) <= 0x184d2a5f and uint32(4) < filesize and
     uint32(8 + uint32(4)) == 0xfd2fb528)
}

rule lz4 {
  meta:
    plugin = "extractor:decompress"
    format = "lz4"
    save = "True"
    type = "lz4"
  condition:
    uint32(0) == 0x184d2204 or
    (uint32(0) >= 0x184d2a50 and uint32(0) <= 0x184d2a5f and uint32(4) < filesize and
     uint32(8 + uint32(4)) == 0x184d2204)
}

rule lz4_legacy {
  meta:
    plugin = "extractor:decompress"
    format = "lz4_legacy"
    save = "True"
    type = "lz4"
  condition:
    uint32(0) == 0x184c2102
}

rule zlib {
  meta:
    plugin = "extractor:decompress"
    format = "zlib"
    save = "True"
    type = "zlib"
  condition:
    uint8(0) == 0x78 and filesize > 8 and (uint8(2) & 6) != 6 and
    (uint16be(0) == 0x7801 or uint16be(0) == 0x789c or uint16be(0) == 0x78da or
     (uint16be(0) == 0x785e and uint8(2) > 0x7f))
}

rule compress {
  meta:
    plugin = "extractor:decompress"
    format = "compress"
    save = "True"
    type = "compress"
  condition:
    uint16be(0) == 0x1f9d and filesize > 3
}

rule lzop {
  meta:
    plugin = "extractor:decompress"
    format = "lzop"
    save = "True"
    type = "lzop"
  condition:
    uint32be(0) == 0x894c5a4f and uint8(4) == 0
}

// --- encodings --------------------------------------------------------------------------------

// "This program cannot" under any one-byte key: the decoder looks for it, much faster than a string
// with 255 variants could.
rule xored_dos_stub {
  meta:
    plugin = "decoder:xor"
    plaintext = "This program cannot"
    not_from = "decoder:xor"
    save = "True"
  condition:
    filesize > 128 and (filesize < 261 or uint32be(257) != 0x75737461)
}

// Base64, hex and escapes have no magic: whatever begins as text, and programs, are searched for
// runs; what tar, cpio and ar hold, as their members. Links hold escapes too, of letters beyond ASCII in any number; nobody needs to escape four
// visible characters in a row but to hide them.
rule text_runs {
  meta:
    plugin = "decoder:base64, decoder:hex, decoder:url"
    in_row = 4
    units = "both"
    save = "True"
  condition:
    filesize >= 8 and
    (// eight bytes from 0x20 to 0x7e at once: none has the highest bit, gets it by 1 more or 0x20 less
     ((uint32(0) | (uint32(0) + 0x01010101) | (uint32(0) - 0x20202020) |
       uint32(4) | (uint32(4) + 0x01010101) | (uint32(4) - 0x20202020)) & 0x80808080) == 0 or
     uint16be(0) == 0x4d5a or uint16(0) == 0xbbef or uint16(0) == 0xfeff or uint16be(0) == 0xfeff or
     for all i in (0 .. 7) : ( uint8(i) >= 0x20 and uint8(i) < 0x7f or uint8(i) == 0x0a or
                               uint8(i) == 0x0d or uint8(i) == 0x09 or uint8(i) == 0x0c )) and
    (filesize < 261 or uint32be(257) != 0x75737461) and
    uint32be(0) != 0x213c6172 and uint32be(0) != 0x30373037
}

// Links hold single escapes, of letters beyond ASCII in any number; nobody needs to escape so many
// visible characters in a row but to hide them.

// What JavaScript's unescape() makes shellcode of.

// "This program cannot", "http://", "https://", "<script", "powershell", "eval(", "base64_decode"
// when each letter is moved by 13.
rule rot13_known_text {
  meta:
    plugin = "decoder:rot13"
    not_from = "decoder:rot13"
    save = "True"
  strings:
    $a = "Guvf cebtenz pnaabg"
    $b = "uggc://"
    $c = "uggcf://"
    $d = "<fpevcg"
    $e = "cbjrefuryy"
    $f = "riny("
    $g = "onfr64_qrpbqr"
  condition:
    any of them
}

// The same when each visible character is moved by 47.
rule rot47_known_text {
  meta:
    plugin = "decoder:rot47"
    not_from = "decoder:rot47"
    save = "True"
  strings:
    $a = "%9:D AC@8C2> 42??@E"
    $b = "9EEAi^^"
    $c = "9EEADi^^"
    $d = "kD4C:AE"
    $e = "A@H6CD96=="
    $f = "32D6ec0564@56"
  condition:
    any of them
}

// "This program cannot", "http://" and "https://" when the bits of each byte are turned:
// $a1 becomes the text by a turn to the right by 1, $a7 by 7.
rule bitrot_known_text {
  meta:
    plugin = "decoder:bitrot"
    not_from = "decoder:bitrot"
    save = "True"
  strings:
    $a1 = { A8 D0 D2 E6 40 E0 E4 DE CE E4 C2 DA 40 C6 C2 DC DC DE E8 }
    $a2 = { 51 A1 A5 CD 80 C1 C9 BD 9D C9 85 B5 80 8D 85 B9 B9 BD D1 }
    $a3 = { A2 43 4B 9B 01 83 93 7B 3B 93 0B 6B 01 1B 0B 73 73 7B A3 }
    $a4 = { 45 86 96 37 02 07 27 F6 76 27 16 D6 02 36 16 E6 E6 F6 47 }
    $a5 = { 8A 0D 2D 6E 04 0E 4E ED EC 4E 2C AD 04 6C 2C CD CD ED 8E }
    $a6 = { 15 1A 5A DC 08 1C 9C DB D9 9C 58 5B 08 D8 58 9B 9B DB 1D }
    $a7 = { 2A 34 B4 B9 10 38 39 B7 B3 39 B0 B6 10 B1 B0 37 37 B7 3A }
    $b1 = { D0 E8 E8 E0 74 5E 5E }
    $b2 = { A1 D1 D1 C1 E8 BC BC }
    $b3 = { 43 A3 A3 83 D1 79 79 }
    $b4 = { 86 47 47 07 A3 F2 F2 }
    $b5 = { 0D 8E 8E 0E 47 E5 E5 }
    $b6 = { 1A 1D 1D 1C 8E CB CB }
    $b7 = { 34 3A 3A 38 1D 97 97 }
    $c1 = { D0 E8 E8 E0 E6 74 5E 5E }
    $c2 = { A1 D1 D1 C1 CD E8 BC BC }
    $c3 = { 43 A3 A3 83 9B D1 79 79 }
    $c4 = { 86 47 47 07 37 A3 F2 F2 }
    $c5 = { 0D 8E 8E 0E 6E 47 E5 E5 }
    $c6 = { 1A 1D 1D 1C DC 8E CB CB }
    $c7 = { 34 3A 3A 38 B9 1D 97 97 }
  condition:
    any of them
}

// --- carved out -------------------------------------------------------------------------------

// Zip files behind or inside something else. What is a member of an archive is found there.
rule zip_inside {
  meta:
    plugin = "carver:zip"
    save = "True"
  strings:
    $end = { 50 4B 05 06 00 00 00 00 }
  condition:
    $end and filesize <= 0x4000000 and uint16(0) != 0x4b50 and uint32(0) != 0xafbc7a37 and
    uint32(0) != 0x21726152 and uint32be(0) != 0x30373037 and uint32be(0) != 0x213c6172 and
    (filesize < 261 or uint32be(257) != 0x75737461) and
    (filesize < 32773 or uint32be(32769) != 0x43443030)
}

// The last of several is what extractor:zip opens.
rule zip_before_zip {
  meta:
    plugin = "carver:zip"
    leave_last = true
    save = "True"
  strings:
    $end = { 50 4B 05 06 00 00 00 00 }
  condition:
    #end > 1 and uint16(0) == 0x4b50
}

rule pe_inside {
  meta:
    plugin = "carver:pe"
    save = "True"
  strings:
    $pe = { 50 45 00 00 (4C 01 | 64 86 | 64 AA | C0 01 | C4 01 | 00 02 | 32 50 | BC 0E) }
  condition:
    $pe and not (uint16be(0) == 0x4d5a and #pe == 1 and @pe[1] == uint32(0x3c))
}

rule swf {
  meta:
    plugin = "carver:swf"
    save = "True"
    type = "swf"
  condition:
    uint8(1) == 0x57 and (uint8(0) == 0x43 or uint8(0) == 0x5a) and uint8(2) == 0x53 and uint8(3) > 0 and
    uint8(3) < 64
}

rule swf_inside {
  meta:
    plugin = "carver:swf"
    save = "True"
  strings:
    $plain = { 46 57 53 ?? ?? ?? ?? 00 }
    $zlib = { 43 57 53 ?? ?? ?? ?? 00 78 }
    $lzma = { 5A 57 53 ?? ?? ?? ?? 00 ?? ?? ?? ?? 5D }
  condition:
    ($plain and for any i in (1 .. #plain) : ( @plain[i] > 0 and uint8(@plain[i] + 3) > 0 and uint8(@plain[i] + 3) < 64 )) or
    ($zlib and for any i in (1 .. #zlib) : ( uint8(@zlib[i] + 3) > 0 and uint8(@zlib[i] + 3) < 64 )) or
    ($lzma and for any i in (1 .. #lzma) : ( uint8(@lzma[i] + 3) > 0 and uint8(@lzma[i] + 3) < 64 ))
}

// --- what it is, for workers that want only some types ----------------------------------------

rule pe {
  meta:
    type = "pe"
  condition:
    uint16be(0) == 0x4d5a and uint32be(uint32(0x3c)) == 0x50450000
}

rule elf {
  meta:
    type = "elf"
  condition:
    uint32be(0) == 0x7f454c46
}

rule ole {
  meta:
    type = "ole"
  condition:
    uint32be(0) == 0xd0cf11e0
}

rule rtf {
  meta:
    type = "rtf"
  condition:
    uint32be(0) == 0x7b5c7274
}
