import "hash"
import "math"

private rule has_needle
{
    strings:
        $a = "needle in a haystack"
    condition:
        $a
}

rule refers_to_private { condition: has_needle and filesize > 100 }

rule absent
{
    strings:
        $a = "never there at all"
        $b = /nor (this|that)!/
    condition:
        not $a and not any of ($*) and #b == 0
}

rule counts
{
    strings:
        $a = "same text" nocase
        $b = "needleword"
    condition:
        #a >= 2 and #b in (0 .. filesize) == 4 and not #a > 100
}

rule offsets
{
    strings:
        $a = "needleword"
        $b = /token-[a-z0-9_]{3,12}/
    condition:
        @a[1] < @a[2] and !b[1] > 8 and for any i in (1 .. #a) : ( uint8(@a[i] - 1) == 0x2e and uint8(@a[i] + 10) == 0x2e )
}

rule near_the_end
{
    strings:
        $a = "of the end"
        $b = "start"
    condition:
        $a in (filesize - 64 .. filesize) and $b in (0 .. 32) and for all of them : ( # > 0 )
}

rule bytes_only { condition: uint32be(0) == 0x73746172 and uint16(filesize - 2) == 0x646e }

rule digests { condition: hash.md5(0, 12) == "da5d2f21f8a5c36b0f2d6cc0a1c6d1aa" or math.entropy(0, filesize) > 0.5 }

rule no_program { condition: not defined entrypoint }

rule program { condition: entrypoint >= 0 }
