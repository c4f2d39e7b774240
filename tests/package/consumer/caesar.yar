rule caesar
{
    meta:
        plugin = "decoder:caesar"
    strings:
        $greeting = "Uryyb, jbeyq"
    condition:
        $greeting at 0
}
