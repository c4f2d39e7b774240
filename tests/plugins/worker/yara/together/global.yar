global rule long_enough
{
    strings:
        $a = "start"
    condition:
        $a and filesize > 1000
}

rule after_global
{
    strings:
        $a = "needle in a haystack" fullword
    condition:
        $a
}
