// Nothing in it is fixed: libyara tries it at every byte.
rule everywhere
{
    strings:
        $any = /[^.][^.][^.]{30}/
    condition:
        #any > 3
}

rule beside
{
    strings:
        $a = "needle in a haystack"
    condition:
        $a
}
