rule hex_strings
{
    strings:
        $nibbles = { B0 1? ?2 B3 ?? B5 }
        $jump = { C0 C1 [2-5] C2 C3 }
        $exact = { C4 C5 [3] C6 C7 [2-4] C8 }
        $choice = { D0 D1 ( D2 | E2 E3 | F? F3 F4 ) D5 }
        $masked = { ?? A0 A1 A2 ?? }
    condition:
        any of them
}

// Gaps so wide that libyara searches for the ends on their own, and joins what is near enough.
rule gaps
{
    strings:
        $two = { 91 92 93 94 [4-300] 95 96 97 98 }
        $three = { 81 82 83 84 [0-250] 85 86 87 88 [10-600] 89 8A 8B 8C }
        $open = { 71 72 73 74 [300-] 75 76 77 78 }
        $text = /open bracket.{0,400}close bracket/s
        $again = { 61 62 61 62 [2-400] 61 62 61 62 }
    condition:
        any of them
}

// Of the second end there are many, of the first none that is near enough.
rule ends_apart
{
    strings:
        $apart = { 51 52 53 54 [8-210] 55 56 57 58 }
    condition:
        $apart
}
