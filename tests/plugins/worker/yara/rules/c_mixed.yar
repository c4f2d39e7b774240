import "math"
import "pe"

rule one_side_only
{
    condition:
        uint16(0) == 0x5A4D or math.entropy(0, filesize) > 6.0
}

rule not_pe
{
    condition:
        not pe.is_pe and filesize > 600
}
