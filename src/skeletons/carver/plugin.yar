rule template_name
{
    meta:
        plugin = "carver:template_name"
        save = "True"
    strings:
        $begin = "<<<"
    condition:
        $begin
}
