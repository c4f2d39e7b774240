rule template_name
{
    meta:
        plugin = "extractor:template_name"
        save = "True"
    condition:
        uint32(0) == 0x53434552 // "RECS"
}
