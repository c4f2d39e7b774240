// One string of each kind that libyara searches for in its own way.
rule plain
{
    strings:
        $plain = "needle in a haystack"
        $nocase = "Needle NoCase" nocase
        $word = "needleword" fullword
        $word_nocase = "Whole" nocase fullword
        $one = "\x01"
        $two = "\x02\x03"
        $long = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-0123456789 end of it"
        $high = "\xc4\xd6\xdc umlauts" nocase
        $hidden = "hidden words" private
    condition:
        any of them
}

rule forms
{
    strings:
        $wide = "wide text" wide
        $both = "both forms" ascii wide
        $both_word = "bothword" ascii wide fullword
        $both_nocase = "Both Cases" ascii wide nocase
        $short = "qz" ascii wide
    condition:
        any of them
}

rule coded
{
    strings:
        $xor = "exclusive or" xor
        $xor_some = "some keys" xor(2-4)
        $xor_wide = "wide keys" xor(1-3) wide
        $xor_both = "both keys" xor(1-3) ascii wide
        $base64 = "encoded as base64" base64
        $base64wide = "encoded wide" base64wide
    condition:
        any of them
}

rule same_text
{
    strings:
        $a = "same text"
        $b = "same text" fullword
        $c = "same text" nocase
        $d = "Same" nocase
        $e = "me te"
    condition:
        any of them
}

rule at_offsets
{
    strings:
        $start = "start of all" fullword
        $fixed = "at forty" nocase
        $never = "never there"
    condition:
        $start at 0 or $fixed at 40 or $never at 8
}
