rule many
{
    strings:
        $x = "xy"
        $y = /y+/
    condition:
        #x > 3 and $y
}
