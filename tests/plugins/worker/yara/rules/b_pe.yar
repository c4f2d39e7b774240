import "pe"

rule pe_two_sections
{
    condition:
        uint16(0) == 0x5A4D and pe.number_of_sections == 2
}

rule pe_named : named // rule in a comment {
{
    strings:
        $text = ".text"
        $brace = { 7D 2F /* } */ 2A }
        $regex = /"[}\/]/
    condition:
        pe.is_pe and (pe.sections[0].name == ".text" and $text or $brace or $regex)
}

global rule only_small { condition: 0x5A4D == uint16(0) and filesize < 2000 }
