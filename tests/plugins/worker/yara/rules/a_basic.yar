rule text_words : greeting first
{
    meta:
        author = "stoq"
        severity = 3
        negative = -7
        sure = true
        unsure = false
    strings:
        $hello = "hello" nocase
        $wide = "wide" wide
    condition:
        any of them
}

rule hex_gap : hex
{
    strings:
        $a = { 01 02 [2-4] 05 }
        $b = { AA ?? CC }
    condition:
        $a or $b
}

private rule hidden
{
    strings:
        $key = "secret"
    condition:
        $key
}

rule refers
{
    strings:
        $r = /v[0-9]+\.[0-9]+/
        $silent = "v1" private
    condition:
        hidden and $r and $silent
}

rule no_strings { condition: filesize < 4 }
