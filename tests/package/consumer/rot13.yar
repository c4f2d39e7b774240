rule rot13
{
    meta:
        plugin = "decoder:rot13"
    strings:
        $greeting = "Uryyb, jbeyq"
    condition:
        $greeting at 0
}
