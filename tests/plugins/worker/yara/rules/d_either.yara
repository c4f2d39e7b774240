import "pe"
import "elf"

rule either
{
    strings:
        $t = ".text"
    condition:
        (uint16be(0) == 0x4D5A or (uint32(0) == 0x464C457F and filesize > 10)) and #t > 0
}

rule either_machine
{
    condition:
        (uint32be(0) == 0x7F454C46 and elf.machine == 62) or (uint8(0) == 0x4d and pe.machine == pe.MACHINE_AMD64)
}
