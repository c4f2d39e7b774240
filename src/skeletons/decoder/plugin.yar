rule template_name
{
    meta:
        plugin = "decoder:template_name"
        save = "True"
    condition:
        // A zip file turned back to front ends with "\x04\x03KP".
        filesize > 4 and uint32(filesize - 4) == 0x504b0304
}
