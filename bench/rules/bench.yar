// 200 rules for benchmarks, made by bench/make-rules: change that, not this file. One file, one namespace, so that
// `yara -r bench/rules/bench.yar DIR` and `stoq scan -w yara --rules bench/rules DIR` are given the same work.
// About a third matches files of an ordinary Debian system; the rest looks for what is rarely there. None is
// written to find real malware.
import "dotnet"
import "elf"
import "hash"
import "math"
import "pe"

rule text_gpl : text
{
  meta:
    family = "text"
  strings:
    $s0 = "GNU General Public License"
    $s1 = "Free Software Foundation"
    $s2 = "WITHOUT ANY WARRANTY"
  condition:
    2 of them
}

rule text_apache : text
{
  meta:
    family = "text"
  strings:
    $s0 = "Apache License, Version 2.0"
    $s1 = "www.apache.org/licenses/LICENSE-2.0"
  condition:
    2 of them
}

rule text_mit : text
{
  meta:
    family = "text"
  strings:
    $s0 = "Permission is hereby granted, free of charge"
    $s1 = "THE SOFTWARE IS PROVIDED"
  condition:
    2 of them
}

rule text_bsd : text
{
  meta:
    family = "text"
  strings:
    $s0 = "Redistributions of source code must retain"
    $s1 = "Neither the name of"
  condition:
    2 of them
}

rule text_python_source : text
{
  meta:
    family = "text"
  strings:
    $s0 = "import os"
    $s1 = "def __init__(self"
    $s2 = "raise ValueError("
  condition:
    2 of them
}

rule text_perl_source : text
{
  meta:
    family = "text"
  strings:
    $s0 = "use strict;"
    $s1 = "use warnings;"
    $s2 = "=head1 SYNOPSIS"
  condition:
    2 of them
}

rule text_shell_functions : text
{
  meta:
    family = "text"
  strings:
    $s0 = "set -e"
    $s1 = "case \"$1\" in"
    $s2 = "esac"
  condition:
    2 of them
}

rule text_c_header : text
{
  meta:
    family = "text"
  strings:
    $s0 = "#ifndef _"
    $s1 = "#define _"
    $s2 = "extern \"C\" {"
  condition:
    2 of them
}

rule text_debian_control : text
{
  meta:
    family = "text"
  strings:
    $s0 = "Maintainer: "
    $s1 = "Architecture: "
    $s2 = "Depends: "
  condition:
    2 of them
}

rule text_xml_schema : text
{
  meta:
    family = "text"
  strings:
    $s0 = "<?xml version="
    $s1 = "xmlns:xs="
    $s2 = "</xs:"
  condition:
    2 of them
}

rule text_changelog : text
{
  meta:
    family = "text"
  strings:
    $s0 = "New upstream release"
    $s1 = "Closes: #"
    $s2 = "urgency="
  condition:
    2 of them
}

rule text_man_page : text
{
  meta:
    family = "text"
  strings:
    $s0 = ".TH "
    $s1 = ".SH NAME"
    $s2 = ".SH SYNOPSIS"
  condition:
    2 of them
}

rule text_gettext : text
{
  meta:
    family = "text"
  strings:
    $s0 = "Project-Id-Version: "
    $s1 = "msgid "
    $s2 = "Plural-Forms: "
  condition:
    2 of them
}

rule text_cmake : text
{
  meta:
    family = "text"
  strings:
    $s0 = "cmake_minimum_required("
    $s1 = "find_package("
    $s2 = "target_link_libraries("
  condition:
    2 of them
}

rule text_javascript_module : text
{
  meta:
    family = "text"
  strings:
    $s0 = "module.exports"
    $s1 = "require('"
    $s2 = "'use strict'"
  condition:
    2 of them
}

rule script_downloader : script unix
{
  meta:
    family = "script"
  strings:
    $s0 = "curl -fsSL"
    $s1 = "wget -q -O-"
    $s2 = "| bash -s"
    $s3 = "chmod +x /tmp/"
  condition:
    2 of them
}

rule script_persistence : script unix
{
  meta:
    family = "script"
  strings:
    $s0 = "/etc/ld.so.preload"
    $s1 = "/etc/cron.hourly/"
    $s2 = "crontab -l 2>/dev/null"
    $s3 = "systemctl enable --now"
  condition:
    2 of them
}

rule script_history_off : script unix
{
  meta:
    family = "script"
  strings:
    $s0 = "unset HISTFILE"
    $s1 = "export HISTSIZE=0"
    $s2 = "history -c && rm"
  condition:
    2 of them
}

rule script_reverse_shell : script unix
{
  meta:
    family = "script"
  strings:
    $s0 = "/dev/tcp/"
    $s1 = "bash -i >& "
    $s2 = "nc -e /bin/sh"
    $s3 = "socat exec:'bash"
  condition:
    2 of them
}

rule script_miner_setup : script unix
{
  meta:
    family = "script"
  strings:
    $s0 = "stratum+tcp://"
    $s1 = "--donate-level"
    $s2 = "nr_hugepages"
    $s3 = "xmrig"
  condition:
    2 of them
}

rule script_key_theft : script unix
{
  meta:
    family = "script"
  strings:
    $s0 = "cat ~/.ssh/id_rsa"
    $s1 = "/etc/shadow"
    $s2 = ".aws/credentials"
    $s3 = "BEGIN OPENSSH PRIVATE KEY"
  condition:
    2 of them
}

rule script_disk_wiper : script unix
{
  meta:
    family = "script"
  strings:
    $s0 = "dd if=/dev/zero of=/dev/sd"
    $s1 = "shred -n 3 -z"
    $s2 = "mkfs.ext4 -F /dev/"
  condition:
    2 of them
}

rule script_firewall_off : script unix
{
  meta:
    family = "script"
  strings:
    $s0 = "iptables -F"
    $s1 = "ufw disable"
    $s2 = "setenforce 0"
    $s3 = "systemctl stop firewalld"
  condition:
    2 of them
}

rule powershell_cradle : script windows
{
  meta:
    family = "powershell"
  strings:
    $s0 = "DownloadString(" nocase
    $s1 = "Net.WebClient" nocase
    $s2 = "Invoke-Expression" nocase
    $s3 = "-EncodedCommand" nocase
  condition:
    2 of them
}

rule powershell_bypass : script windows
{
  meta:
    family = "powershell"
  strings:
    $s0 = "-ExecutionPolicy Bypass" nocase
    $s1 = "-WindowStyle Hidden" nocase
    $s2 = "AmsiUtils" nocase
    $s3 = "amsiInitFailed" nocase
  condition:
    2 of them
}

rule powershell_reflection : script windows
{
  meta:
    family = "powershell"
  strings:
    $s0 = "[Reflection.Assembly]::Load" nocase
    $s1 = "GetDelegateForFunctionPointer" nocase
    $s2 = "VirtualAlloc" nocase
    $s3 = "Marshal]::Copy" nocase
  condition:
    2 of them
}

rule powershell_recon : script windows
{
  meta:
    family = "powershell"
  strings:
    $s0 = "Get-ADComputer" nocase
    $s1 = "Get-NetSession" nocase
    $s2 = "nltest /dclist" nocase
    $s3 = "whoami /priv" nocase
  condition:
    2 of them
}

rule powershell_ransom : script windows
{
  meta:
    family = "powershell"
  strings:
    $s0 = "vssadmin delete shadows" nocase
    $s1 = "wbadmin delete catalog" nocase
    $s2 = "bcdedit /set {default}" nocase
    $s3 = "Clear-EventLog" nocase
  condition:
    2 of them
}

rule php_webshell_eval : script web
{
  meta:
    family = "php"
  strings:
    $s0 = "eval(base64_decode("
    $s1 = "eval(gzinflate("
    $s2 = "assert($_POST["
    $s3 = "preg_replace('/.*/e'"
  condition:
    any of them
}

rule php_webshell_system : script web
{
  meta:
    family = "php"
  strings:
    $s0 = "passthru($_GET"
    $s1 = "shell_exec($_REQUEST"
    $s2 = "system($_COOKIE"
    $s3 = "proc_open($cmd"
  condition:
    any of them
}

rule php_uploader : script web
{
  meta:
    family = "php"
  strings:
    $s0 = "move_uploaded_file("
    $s1 = "enctype=\"multipart/form-data\""
    $s2 = "$_FILES['file']["
  condition:
    any of them
}

rule php_hidden_include : script web
{
  meta:
    family = "php"
  strings:
    $s0 = "@include \"\\x"
    $s1 = "@ini_set('display_errors', 0)"
    $s2 = "error_reporting(0);"
  condition:
    any of them
}

rule js_unpacker : script web
{
  meta:
    family = "js"
  strings:
    $s0 = "eval(function(p,a,c,k,e,d)"
    $s1 = "String.fromCharCode("
    $s2 = "unescape('%u"
  condition:
    2 of them
}

rule js_wscript : script web
{
  meta:
    family = "js"
  strings:
    $s0 = "WScript.Shell"
    $s1 = "ADODB.Stream"
    $s2 = "MSXML2.XMLHTTP"
    $s3 = "Scripting.FileSystemObject"
  condition:
    2 of them
}

rule js_skimmer : script web
{
  meta:
    family = "js"
  strings:
    $s0 = "document.forms"
    $s1 = "cardnumber"
    $s2 = "cvv"
    $s3 = "navigator.sendBeacon("
  condition:
    2 of them
}

rule js_cookie_theft : script web
{
  meta:
    family = "js"
  strings:
    $s0 = "document.cookie"
    $s1 = "new Image().src"
    $s2 = "encodeURIComponent("
    $s3 = "localStorage.getItem("
  condition:
    2 of them
}

rule office_auto_macro : document
{
  meta:
    family = "office"
  strings:
    $s0 = "AutoOpen" nocase ascii wide
    $s1 = "Document_Open" nocase ascii wide
    $s2 = "Workbook_Open" nocase ascii wide
    $s3 = "Shell(" nocase ascii wide
  condition:
    2 of them
}

rule office_dde : document
{
  meta:
    family = "office"
  strings:
    $s0 = "DDEAUTO" nocase ascii wide
    $s1 = "cmd.exe /c" nocase ascii wide
    $s2 = "\\\\..\\\\..\\\\" nocase ascii wide
  condition:
    2 of them
}

rule office_vba_api : document
{
  meta:
    family = "office"
  strings:
    $s0 = "CreateObject(" nocase ascii wide
    $s1 = "Environ(" nocase ascii wide
    $s2 = "StrReverse(" nocase ascii wide
    $s3 = "Declare PtrSafe Function" nocase ascii wide
  condition:
    2 of them
}

rule office_equation : document
{
  meta:
    family = "office"
  strings:
    $s0 = "Equation.3" nocase ascii wide
    $s1 = "objclass Equation" nocase ascii wide
    $s2 = "0002CE02-0000-0000-C000-000000000046" nocase ascii wide
  condition:
    2 of them
}

rule wide_windows_paths : windows
{
  meta:
    family = "wide"
  strings:
    $s0 = "\\System32\\drivers\\" wide
    $s1 = "\\AppData\\Roaming\\" wide
    $s2 = "\\CurrentVersion\\Run" wide
  condition:
    any of them
}

rule wide_vendor : windows
{
  meta:
    family = "wide"
  strings:
    $s0 = "Microsoft Corporation" wide
    $s1 = "CompanyName" wide
    $s2 = "OriginalFilename" wide
  condition:
    any of them
}

rule wide_agents : windows
{
  meta:
    family = "wide"
  strings:
    $s0 = "Mozilla/4.0 (compatible; MSIE" wide
    $s1 = "Mozilla/5.0 (Windows NT 10.0" wide
  condition:
    any of them
}

rule wide_pipes : windows
{
  meta:
    family = "wide"
  strings:
    $s0 = "\\\\.\\pipe\\" wide
    $s1 = "Global\\mutex_" wide
    $s2 = "\\BaseNamedObjects\\" wide
  condition:
    any of them
}

rule wide_services : windows
{
  meta:
    family = "wide"
  strings:
    $s0 = "SeDebugPrivilege" wide
    $s1 = "SeTcbPrivilege" wide
    $s2 = "SvcHostDemand" wide
  condition:
    any of them
}

rule word_crypto : symbols
{
  meta:
    family = "word"
  strings:
    $s0 = "chacha20" fullword
    $s1 = "salsa20" fullword
    $s2 = "blowfish" fullword
    $s3 = "serpent" fullword
  condition:
    2 of them
}

rule word_network : symbols
{
  meta:
    family = "word"
  strings:
    $s0 = "getaddrinfo" fullword
    $s1 = "gethostbyname" fullword
    $s2 = "inet_pton" fullword
    $s3 = "recvfrom" fullword
  condition:
    2 of them
}

rule word_process : symbols
{
  meta:
    family = "word"
  strings:
    $s0 = "ptrace" fullword
    $s1 = "fork" fullword
    $s2 = "execve" fullword
    $s3 = "waitpid" fullword
  condition:
    2 of them
}

rule word_memory : symbols
{
  meta:
    family = "word"
  strings:
    $s0 = "mprotect" fullword
    $s1 = "memfd_create" fullword
    $s2 = "mmap" fullword
    $s3 = "madvise" fullword
  condition:
    2 of them
}

rule word_dynamic : symbols
{
  meta:
    family = "word"
  strings:
    $s0 = "dlopen" fullword
    $s1 = "dlsym" fullword
    $s2 = "dlclose" fullword
  condition:
    2 of them
}

rule word_signals : symbols
{
  meta:
    family = "word"
  strings:
    $s0 = "sigaction" fullword
    $s1 = "SIGSEGV" fullword
    $s2 = "raise" fullword
    $s3 = "abort" fullword
  condition:
    2 of them
}

rule word_locale : symbols
{
  meta:
    family = "word"
  strings:
    $s0 = "setlocale" fullword
    $s1 = "gettext" fullword
    $s2 = "iconv" fullword
    $s3 = "nl_langinfo" fullword
  condition:
    2 of them
}

rule word_timer : symbols
{
  meta:
    family = "word"
  strings:
    $s0 = "nanosleep" fullword
    $s1 = "clock_gettime" fullword
    $s2 = "gettimeofday" fullword
  condition:
    2 of them
}

rule xor_http : obfuscated
{
  meta:
    family = "xor"
  strings:
    $s0 = "http://update.example.invalid/" xor(0x01-0xff)
  condition:
    any of them
}

rule xor_dos_stub : obfuscated
{
  meta:
    family = "xor"
  strings:
    $s0 = "This program cannot be run in DOS mode" xor(0x01-0xff)
  condition:
    any of them
}

rule xor_shell : obfuscated
{
  meta:
    family = "xor"
  strings:
    $s0 = "cmd.exe /c start " xor(0x01-0xff)
  condition:
    any of them
}

rule xor_agent : obfuscated
{
  meta:
    family = "xor"
  strings:
    $s0 = "User-Agent: Mozilla/5.0" xor(0x01-0xff)
  condition:
    any of them
}

rule xor_registry : obfuscated
{
  meta:
    family = "xor"
  strings:
    $s0 = "Software\\Microsoft\\Windows\\CurrentVersion" xor(0x01-0xff)
  condition:
    any of them
}

rule xor_beacon : obfuscated
{
  meta:
    family = "xor"
  strings:
    $s0 = "Content-Type: application/octet-stream" xor(0x01-0xff)
  condition:
    any of them
}

rule base64_mz_stub : obfuscated
{
  meta:
    family = "base64"
  strings:
    $s0 = "This program cannot be run in DOS mode" base64
  condition:
    any of them
}

rule base64_script : obfuscated
{
  meta:
    family = "base64"
  strings:
    $s0 = "#!/usr/bin/env python3" base64
  condition:
    any of them
}

rule base64_powershell : obfuscated
{
  meta:
    family = "base64"
  strings:
    $s0 = "powershell -nop -w hidden" base64
  condition:
    any of them
}

rule base64_certificate : obfuscated
{
  meta:
    family = "base64"
  strings:
    $s0 = "Certification Authority" base64
  condition:
    any of them
}

rule base64_http_post : obfuscated
{
  meta:
    family = "base64"
  strings:
    $s0 = "POST /gate.php HTTP/1.1" base64
  condition:
    any of them
}

rule base64wide_iex : obfuscated
{
  meta:
    family = "base64wide"
  strings:
    $s0 = "Invoke-Expression" base64wide
  condition:
    any of them
}

rule base64wide_webclient : obfuscated
{
  meta:
    family = "base64wide"
  strings:
    $s0 = "New-Object Net.WebClient" base64wide
  condition:
    any of them
}

rule base64wide_download : obfuscated
{
  meta:
    family = "base64wide"
  strings:
    $s0 = "DownloadString('http" base64wide
  condition:
    any of them
}

rule hex_elf_gnu_note : binary
{
  meta:
    family = "hex"
  strings:
    $h0 = { 04 00 00 00 14 00 00 00 03 00 00 00 47 4E 55 00 }
  condition:
    $h0
}

rule hex_gzip_member : binary
{
  meta:
    family = "hex"
  strings:
    $h0 = { 1F 8B 08 ?? ?? ?? ?? ?? ( 00 | 02 | 04 ) ( 03 | FF ) }
  condition:
    $h0 at 0
}

rule hex_png_chunks : binary
{
  meta:
    family = "hex"
  strings:
    $h0 = { 89 50 4E 47 0D 0A 1A 0A 00 00 00 0D 49 48 44 52 }
    $h1 = { 49 45 4E 44 AE 42 60 82 }
  condition:
    all of them
}

rule hex_jpeg_exif : binary
{
  meta:
    family = "hex"
  strings:
    $h0 = { FF D8 FF ( E0 | E1 | EE ) ?? ?? ( 4A 46 49 46 | 45 78 69 66 ) 00 }
  condition:
    $h0 at 0
}

rule hex_zip_local : binary
{
  meta:
    family = "hex"
  strings:
    $h0 = { 50 4B 03 04 ( 0A | 14 | 2D ) 00 ?? ?? ( 00 | 08 ) 00 }
  condition:
    #h0 > 3
}

rule hex_prologue_x64 : binary
{
  meta:
    family = "hex"
  strings:
    $h0 = { 55 48 89 E5 48 83 EC ?? 48 89 7D ?? 48 89 75 }
  condition:
    #h0 > 2
}

rule hex_getpc : binary
{
  meta:
    family = "hex"
  strings:
    $h0 = { E8 00 00 00 00 ( 58 | 59 | 5A | 5B ) 83 ( C0 | C1 | C2 | C3 ) ?? 8D }
  condition:
    $h0
}

rule hex_peb_walk : binary
{
  meta:
    family = "hex"
  strings:
    $h0 = { 64 A1 30 00 00 00 8B 40 0C 8B ( 40 | 70 ) ( 14 | 1C ) }
  condition:
    $h0
}

rule hex_peb_walk64 : binary
{
  meta:
    family = "hex"
  strings:
    $h0 = { 65 48 8B 04 25 60 00 00 00 48 8B 40 18 48 8B ( 40 | 70 ) ( 10 | 20 ) }
  condition:
    $h0
}

rule hex_ror13_hash : binary
{
  meta:
    family = "hex"
  strings:
    $h0 = { C1 C? 0D 0? ?? [0-8] ( 75 | EB ) ?? }
    $h1 = { AC 84 C0 74 ?? C1 CF 0D 01 C7 EB }
  condition:
    any of them
}

rule hex_rc4_init : binary
{
  meta:
    family = "hex"
  strings:
    $h0 = { 8A ?? ?? ?? 00 00 [4-12] 88 ?? ?? ?? 00 00 [2-6] 81 F? 00 01 00 00 7C }
  condition:
    $h0
}

rule hex_aes_sbox : binary
{
  meta:
    family = "hex"
  strings:
    $h0 = { 63 7C 77 7B F2 6B 6F C5 30 01 67 2B FE D7 AB 76 }
  condition:
    $h0
}

rule hex_sha256_k : binary
{
  meta:
    family = "hex"
  strings:
    $h0 = { 98 2F 8A 42 91 44 37 71 CF FB C0 B5 A5 DB B5 E9 }
  condition:
    $h0
}

rule hex_md5_init : binary
{
  meta:
    family = "hex"
  strings:
    $h0 = { 01 23 45 67 89 AB CD EF FE DC BA 98 76 54 32 10 }
    $h1 = { C7 ?? 01 23 45 67 C7 ?? ?? 89 AB CD EF }
  condition:
    any of them
}

rule hex_crc32_table : binary
{
  meta:
    family = "hex"
  strings:
    $h0 = { 00 00 00 00 96 30 07 77 2C 61 0E EE BA 51 09 99 }
  condition:
    $h0
}

rule hex_syscall_stub : binary
{
  meta:
    family = "hex"
  strings:
    $h0 = { 4C 8B D1 B8 ?? 00 00 00 F6 04 25 08 03 FE 7F 01 75 03 0F 05 C3 }
  condition:
    $h0
}

rule hex_anti_debug : binary
{
  meta:
    family = "hex"
  strings:
    $h0 = { 64 A1 18 00 00 00 8B 40 30 0F B6 40 02 }
    $h1 = { 0F 31 [2-20] 0F 31 [0-6] 2B }
  condition:
    any of them
}

rule hex_vm_check : binary
{
  meta:
    family = "hex"
  strings:
    $h0 = { 0F A2 81 FB 56 4D 77 61 }
    $h1 = { B8 68 58 4D 56 [0-10] BA 58 56 00 00 ED }
  condition:
    any of them
}

rule hex_upx_header : binary
{
  meta:
    family = "hex"
  strings:
    $h0 = { 55 50 58 21 ?? ?? ?? ?? ?? ?? ?? ?? ?? ?? ?? ?? }
  condition:
    $h0 in (0 .. 1024)
}

rule hex_ole_directory : binary
{
  meta:
    family = "hex"
  strings:
    $h0 = { D0 CF 11 E0 A1 B1 1A E1 }
    $h1 = { 52 00 6F 00 6F 00 74 00 20 00 45 00 6E 00 74 00 72 00 79 00 }
  condition:
    $h0 at 0 and $h1
}

rule hex_rtf_object : binary
{
  meta:
    family = "hex"
  strings:
    $h0 = { 7B 5C 72 74 66 [0-64] 5C 6F 62 6A }
    $h1 = { 64 30 63 66 31 31 65 30 ( 61 | 41 ) 31 }
  condition:
    any of them
}

rule hex_flash : binary
{
  meta:
    family = "hex"
  strings:
    $h0 = { ( 46 | 43 | 5A ) 57 53 ( 0? | 1? | 2? ) ?? ?? ?? 00 }
  condition:
    $h0 at 0
}

rule hex_far_jump : binary
{
  meta:
    family = "hex"
  strings:
    $h0 = { 48 B8 ?? ?? ?? ?? ?? ?? 00 00 FF E0 [16-400] 48 B8 ?? ?? ?? ?? ?? ?? 00 00 FF D0 }
  condition:
    $h0
}

rule hex_nop_sled : binary
{
  meta:
    family = "hex"
  strings:
    $h0 = { 90 90 90 90 90 90 90 90 90 90 90 90 ( EB | E8 | E9 ) ?? }
  condition:
    $h0
}

rule hex_utf16_text : binary
{
  meta:
    family = "hex"
  strings:
    $h0 = { 3C 00 3F 00 78 00 6D 00 6C 00 }
    $h1 = { 5B 00 48 00 4B 00 45 00 59 00 }
  condition:
    uint16be(0) == 0xFFFE and any of them
}

rule hex_xor_loop : binary
{
  meta:
    family = "hex"
  strings:
    $h0 = { 80 34 ( 08 | 0E | 18 | 30 ) ?? 4? [0-4] ( 75 | E2 | 7C ) ?? }
    $h1 = { 80 34 0A ?? 41 81 F9 ?? ?? 00 00 7C }
  condition:
    any of them
}

rule hex_import_by_hash : binary
{
  meta:
    family = "hex"
  strings:
    $h0 = { 68 ?? ?? ?? ?? 68 ?? ?? ?? ?? E8 [4] 85 C0 74 ?? 8B F8 }
  condition:
    #h0 > 1
}

rule regex_url : pattern
{
  meta:
    family = "regex"
  strings:
    $r0 = /https?:\/\/[a-z0-9.-]{4,60}\/[a-zA-Z0-9_\/.-]{2,40}/
  condition:
    #r0 > 4
}

rule regex_email : pattern
{
  meta:
    family = "regex"
  strings:
    $r0 = /[a-z0-9._-]{2,30}@[a-z0-9-]{2,30}\.(org|com|net|de)/
  condition:
    #r0 > 2
}

rule regex_ipv4_port : pattern
{
  meta:
    family = "regex"
  strings:
    $r0 = /(http|tcp|udp):\/\/[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}(:[0-9]{2,5})?/
  condition:
    $r0
}

rule regex_onion : pattern
{
  meta:
    family = "regex"
  strings:
    $r0 = /[a-z2-7]{56}\.onion/
  condition:
    $r0
}

rule regex_bitcoin : pattern
{
  meta:
    family = "regex"
  strings:
    $r0 = /bitcoin:[13][a-km-zA-HJ-NP-Z1-9]{25,34}/
  condition:
    $r0
}

rule regex_aws_key : pattern
{
  meta:
    family = "regex"
  strings:
    $r0 = /AKIA[0-9A-Z]{16}/ fullword
  condition:
    $r0
}

rule regex_private_key : pattern
{
  meta:
    family = "regex"
  strings:
    $r0 = /-----BEGIN (RSA |EC |DSA )?PRIVATE KEY-----/
  condition:
    $r0
}

rule regex_jwt : pattern
{
  meta:
    family = "regex"
  strings:
    $r0 = /eyJ[A-Za-z0-9_-]{10,200}\.eyJ[A-Za-z0-9_-]{10,400}\./
  condition:
    $r0
}

rule regex_slack_token : pattern
{
  meta:
    family = "regex"
  strings:
    $r0 = /xox[baprs]-[0-9]{8,14}-[0-9a-zA-Z]{10,48}/
  condition:
    $r0
}

rule regex_password_literal : pattern
{
  meta:
    family = "regex"
  strings:
    $r0 = /(password|passwd|pwd)\s*[:=]\s*['\"][^'\"]{4,40}['\"]/ nocase
  condition:
    $r0
}

rule regex_cve : pattern
{
  meta:
    family = "regex"
  strings:
    $r0 = /CVE-(199[0-9]|20[0-9]{2})-[0-9]{4,7}/
  condition:
    #r0 >= 2
}

rule regex_version : pattern
{
  meta:
    family = "regex"
  strings:
    $r0 = /version [0-9]{1,2}\.[0-9]{1,3}(\.[0-9]{1,3})?/
  condition:
    $r0
}

rule regex_glibc_symbol : pattern
{
  meta:
    family = "regex"
  strings:
    $r0 = /GLIBC_2\.[0-9]{1,2}(\.[0-9])?/
  condition:
    #r0 > 3
}

rule regex_copyright_year : pattern
{
  meta:
    family = "regex"
  strings:
    $r0 = /Copyright \([cC]\) (19|20)[0-9]{2}(-(19|20)[0-9]{2})?/
  condition:
    $r0
}

rule regex_build_path : pattern
{
  meta:
    family = "regex"
  strings:
    $r0 = /\/(home|build|tmp)\/[a-z0-9_-]{2,24}\/[a-zA-Z0-9_\/.-]{4,80}\.(c|cc|cpp|rs|go)/
  condition:
    $r0
}

rule regex_pdb_path : pattern
{
  meta:
    family = "regex"
  strings:
    $r0 = /[A-Za-z]:\\[A-Za-z0-9_\\ .-]{4,120}\.pdb/
  condition:
    $r0
}

rule regex_shebang : pattern
{
  meta:
    family = "regex"
  strings:
    $r0 = /^#!\/(usr\/)?bin\/(env )?(python3?|perl|sh|bash|ruby)/
  condition:
    $r0 at 0
}

rule regex_html_script : pattern
{
  meta:
    family = "regex"
  strings:
    $r0 = /<script[^>]{0,80}>/ nocase
  condition:
    #r0 > 2
}

rule regex_hidden_iframe : pattern
{
  meta:
    family = "regex"
  strings:
    $r0 = /<iframe[^>]{1,120}(width|height)=['\"]?[01]['\"]?/ nocase
  condition:
    $r0
}

rule regex_char_codes : pattern
{
  meta:
    family = "regex"
  strings:
    $r0 = /(chr\([0-9]{1,3}\)\s?&\s?){6}/ nocase
    $r1 = /(\\x[0-9a-f]{2}){24}/
  condition:
    any of them
}

rule regex_guid : pattern
{
  meta:
    family = "regex"
  strings:
    $r0 = /clsid[:\\]\{?[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}/ nocase ascii wide
  condition:
    $r0
}

rule regex_cert_block : pattern
{
  meta:
    family = "regex"
  strings:
    $r0 = /-----BEGIN CERTIFICATE-----\r?\n[A-Za-z0-9+\/]{64}/
  condition:
    $r0
}

rule regex_rust_panic : pattern
{
  meta:
    family = "regex"
  strings:
    $r0 = /src\/[a-z_\/]{2,40}\.rs:[0-9]{1,4}/
    $r1 = "called `Option::unwrap()` on a `None` value"
  condition:
    all of them
}

rule regex_log_line : pattern
{
  meta:
    family = "regex"
  strings:
    $r0 = /(ERROR|WARN|INFO|DEBUG)[^\n]{1,60}[0-9]{2}:[0-9]{2}:[0-9]{2}/
  condition:
    #r0 > 1
}

rule regex_doi : pattern
{
  meta:
    family = "regex"
  strings:
    $r0 = /doi\.org\/10\.[0-9]{4,6}\/[a-z0-9.()-]{4,40}/ nocase
  condition:
    $r0
}

rule regex_go_build : pattern
{
  meta:
    family = "regex"
  strings:
    $r0 = /go1\.[0-9]{1,2}(\.[0-9]{1,2})?/
    $r1 = "Go build ID: "
  condition:
    all of them
}

rule cond_empty_or_tiny : logic
{
  meta:
    family = "cond"
  condition:
    filesize < 16
}

rule cond_is_elf : logic
{
  meta:
    family = "cond"
  condition:
    uint32(0) == 0x464C457F
}

rule cond_is_gzip : logic
{
  meta:
    family = "cond"
  condition:
    uint16be(0) == 0x1F8B and uint8(2) == 8
}

rule cond_is_pdf : logic
{
  meta:
    family = "cond"
  strings:
    $a = "%PDF-1."
    $b = "%%EOF"
  condition:
    $a at 0 and $b in (filesize - 1024 .. filesize)
}

rule cond_pdf_action : logic
{
  meta:
    family = "cond"
  strings:
    $a = "%PDF-"
    $b = "/JavaScript"
    $c = "/OpenAction"
    $d = "/Launch"
  condition:
    $a in (0 .. 1024) and 1 of ($b, $c, $d)
}

rule cond_many_lines : logic
{
  meta:
    family = "cond"
  strings:
    $a = "\n\n"
  condition:
    #a > 40 and filesize < 64KB
}

rule cond_close_pair : logic
{
  meta:
    family = "cond"
  strings:
    $a = "malloc"
    $b = "free"
  condition:
    for any i in (1 .. #a) : ( $b in (@a[i] .. @a[i] + 200) )
}

rule cond_late_magic : logic
{
  meta:
    family = "cond"
  strings:
    $a = { 7F 45 4C 46 }
  condition:
    $a in (64 .. filesize)
}

rule cond_appended_zip : logic
{
  meta:
    family = "cond"
  strings:
    $a = { 50 4B 05 06 00 00 00 00 }
  condition:
    uint16(0) != 0x4B50 and $a in (filesize - 4096 .. filesize)
}

rule cond_mz_elsewhere : logic
{
  meta:
    family = "cond"
  strings:
    $a = "This program cannot be run in DOS mode"
  condition:
    uint16(0) != 0x5A4D and $a
}

rule cond_lnk_file : logic
{
  meta:
    family = "cond"
  strings:
    $a = { 01 14 02 00 00 00 00 00 C0 00 00 00 00 00 00 46 }
    $b = "powershell" nocase ascii wide
  condition:
    uint32(0) == 0x0000004C and $a at 4 and $b
}

rule cond_java_class : logic
{
  meta:
    family = "cond"
  strings:
    $a = "java/lang/Runtime"
    $b = "exec"
  condition:
    uint32be(0) == 0xCAFEBABE and all of them
}

rule cond_python_bytecode : logic
{
  meta:
    family = "cond"
  strings:
    $a = "marshal"
    $b = "zlib"
  condition:
    uint16be(2) == 0x0D0A and filesize < 1MB and all of them
}

rule cond_small_script_net : logic
{
  meta:
    family = "cond"
  strings:
    $a = "#!"
    $b = "socket" fullword
    $c = "connect" fullword
  condition:
    $a at 0 and filesize < 200KB and all of ($b, $c)
}

rule cond_sqlite : logic
{
  meta:
    family = "cond"
  strings:
    $a = "SQLite format 3"
    $b = "CREATE TABLE"
  condition:
    $a at 0 and #b > 1
}

rule cond_long_match : logic
{
  meta:
    family = "cond"
  strings:
    $a = /base64[,\r\n]{1,4}[A-Za-z0-9+\/=\r\n]{200}/
  condition:
    $a and filesize < 256KB
}

rule cond_nested_for : logic
{
  meta:
    family = "cond"
  strings:
    $a = "#include <"
    $b = "#endif"
  condition:
    for all of them : ( # > 3 ) and filesize > 2KB
}

rule cond_xml_doctype : logic
{
  meta:
    family = "cond"
  strings:
    $a = "<!DOCTYPE" nocase
    $b = "<!ENTITY"
    $c = "SYSTEM"
  condition:
    $a and ($b or $c) and filesize < 512KB
}

rule cond_json_keys : logic
{
  meta:
    family = "cond"
  strings:
    $a = "\"name\":"
    $b = "\"version\":"
    $c = "\"dependencies\":"
  condition:
    uint8(0) == 0x7B and 2 of them
}

rule cond_not_text : logic
{
  meta:
    family = "cond"
  strings:
    $a = "the" nocase fullword
    $b = "and" nocase fullword
  condition:
    filesize > 256 and not $a and not $b and uint8(0) > 0x7F
}

rule cond_length_test : logic
{
  meta:
    family = "cond"
  strings:
    $a = /Version: [0-9][^\n]{4,30}/
  condition:
    $a and for any i in (1 .. #a) : ( !a[i] > 16 )
}

rule cond_refers : logic
{
  meta:
    family = "cond"
  strings:
    $a = "Debian"
  condition:
    cond_is_gzip or (text_gpl and #a > 2)
}

rule pe_is_dll : windows
{
  meta:
    family = "pe"
  condition:
    pe.is_dll()
}

rule pe_is_64bit : windows
{
  meta:
    family = "pe"
  condition:
    pe.is_64bit() and pe.number_of_sections > 3
}

rule pe_text_section : windows
{
  meta:
    family = "pe"
  condition:
    for any i in (0 .. pe.number_of_sections - 1) : ( pe.sections[i].name == ".text" )
}

rule pe_upx_sections : windows
{
  meta:
    family = "pe"
  condition:
    uint16(0) == 0x5A4D and for any i in (0 .. pe.number_of_sections - 1) : ( pe.sections[i].name == "UPX0" or pe.sections[i].name == "UPX1" )
}

rule pe_injector : windows
{
  meta:
    family = "pe"
  condition:
    pe.imports("kernel32.dll", "WriteProcessMemory") and pe.imports("kernel32.dll", "CreateRemoteThread")
}

rule pe_loader : windows
{
  meta:
    family = "pe"
  condition:
    pe.imports("kernel32.dll", "LoadLibraryA") and pe.imports("kernel32.dll", "GetProcAddress") and pe.number_of_imports < 3
}

rule pe_network_client : windows
{
  meta:
    family = "pe"
  condition:
    pe.imports("wininet.dll", "InternetOpenA") or pe.imports("winhttp.dll", "WinHttpOpen") or pe.imports("ws2_32.dll", "connect")
}

rule pe_keylogger : windows
{
  meta:
    family = "pe"
  strings:
    $a = "GetAsyncKeyState"
  condition:
    uint16(0) == 0x5A4D and $a and pe.imports("user32.dll", "SetWindowsHookExA")
}

rule pe_exports_reflective : windows
{
  meta:
    family = "pe"
  condition:
    pe.number_of_exports > 0 and pe.exports("ReflectiveLoader")
}

rule pe_imphash_known : windows
{
  meta:
    family = "pe"
  condition:
    pe.imphash() == "f34d5f2d4577ed6d9ceec516c1f5a744"
}

rule pe_old_timestamp : windows
{
  meta:
    family = "pe"
  condition:
    pe.timestamp > 0 and pe.timestamp < 946684800
}

rule pe_writable_code : windows
{
  meta:
    family = "pe"
  condition:
    for any i in (0 .. pe.number_of_sections - 1) : ( pe.sections[i].characteristics & pe.SECTION_MEM_EXECUTE != 0 and pe.sections[i].characteristics & pe.SECTION_MEM_WRITE != 0 )
}

rule pe_overlay : windows
{
  meta:
    family = "pe"
  condition:
    pe.overlay.size > 1024
}

rule pe_no_version : windows
{
  meta:
    family = "pe"
  strings:
    $a = "VS_VERSION_INFO" wide
  condition:
    pe.is_pe and not $a
}

rule pe_version_vendor : windows
{
  meta:
    family = "pe"
  condition:
    pe.version_info["CompanyName"] contains "Microsoft"
}

rule pe_many_resources : windows
{
  meta:
    family = "pe"
  condition:
    pe.number_of_resources > 20
}

rule pe_entry_in_last : windows
{
  meta:
    family = "pe"
  condition:
    pe.entry_point >= pe.sections[pe.number_of_sections - 1].raw_data_offset
}

rule pe_entry_pushad : windows
{
  meta:
    family = "pe"
  strings:
    $a = { 60 BE ?? ?? ?? ?? 8D BE }
  condition:
    pe.is_pe and $a at pe.entry_point
}

rule pe_signed : windows
{
  meta:
    family = "pe"
  condition:
    pe.number_of_signatures > 0 and for any i in (0 .. pe.number_of_signatures - 1) : ( pe.signatures[i].issuer contains "CA" )
}

rule pe_rich_version : windows
{
  meta:
    family = "pe"
  condition:
    pe.rich_signature.version(21005) > 0 or pe.rich_signature.toolid(261) > 0
}

rule pe_driver : windows
{
  meta:
    family = "pe"
  condition:
    pe.subsystem == pe.SUBSYSTEM_NATIVE and pe.machine == pe.MACHINE_AMD64
}

rule pe_gui_without_imports : windows
{
  meta:
    family = "pe"
  condition:
    pe.subsystem == pe.SUBSYSTEM_WINDOWS_GUI and pe.number_of_imports == 0
}

rule pe_odd_alignment : windows
{
  meta:
    family = "pe"
  condition:
    pe.section_alignment < 4096 and pe.file_alignment != 512
}

rule pe_packed_entropy : windows
{
  meta:
    family = "pe"
  condition:
    uint16(0) == 0x5A4D and pe.number_of_sections > 1 and math.entropy(pe.sections[0].raw_data_offset, pe.sections[0].raw_data_size) > 7.2
}

rule pe_checksum_zero : windows
{
  meta:
    family = "pe"
  condition:
    pe.checksum == 0 and pe.number_of_sections < 4
}

rule pe_not_dll_large : windows
{
  meta:
    family = "pe"
  condition:
    pe.is_pe and not pe.is_dll() and filesize > 2MB
}

rule dotnet_version4 : windows
{
  meta:
    family = "dotnet"
  condition:
    dotnet.version == "v4.0.30319"
}

rule dotnet_streams : windows
{
  meta:
    family = "dotnet"
  condition:
    dotnet.number_of_streams > 4 and for any i in (0 .. dotnet.number_of_streams - 1) : ( dotnet.streams[i].name == "#~" )
}

rule dotnet_module_name : windows
{
  meta:
    family = "dotnet"
  condition:
    dotnet.module_name == "loader.exe"
}

rule dotnet_assembly : windows
{
  meta:
    family = "dotnet"
  condition:
    dotnet.assembly.version.major == 1 and dotnet.assembly.version.minor == 0
}

rule dotnet_obfuscator : windows
{
  meta:
    family = "dotnet"
  strings:
    $a = "ConfusedByAttribute"
    $b = "DotfuscatorAttribute"
  condition:
    uint16(0) == 0x5A4D and any of them and dotnet.number_of_resources > 0
}

rule dotnet_many_strings : windows
{
  meta:
    family = "dotnet"
  condition:
    dotnet.number_of_user_strings > 500
}

rule elf_shared_x64 : unix
{
  meta:
    family = "elf"
  condition:
    elf.type == elf.ET_DYN and elf.machine == elf.EM_X86_64
}

rule elf_relocatable : unix
{
  meta:
    family = "elf"
  condition:
    elf.type == elf.ET_REL
}

rule elf_core_or_exec : unix
{
  meta:
    family = "elf"
  condition:
    elf.type == elf.ET_EXEC or elf.type == elf.ET_CORE
}

rule elf_no_sections : unix
{
  meta:
    family = "elf"
  condition:
    uint32(0) == 0x464C457F and elf.number_of_sections == 0
}

rule elf_debug_link : unix
{
  meta:
    family = "elf"
  condition:
    for any i in (0 .. elf.number_of_sections - 1) : ( elf.sections[i].name == ".gnu_debuglink" )
}

rule elf_writable_text : unix
{
  meta:
    family = "elf"
  condition:
    for any i in (0 .. elf.number_of_sections - 1) : ( elf.sections[i].name == ".text" and elf.sections[i].flags & elf.SHF_WRITE != 0 )
}

rule elf_rwx_segment : unix
{
  meta:
    family = "elf"
  condition:
    for any i in (0 .. elf.number_of_segments - 1) : ( elf.segments[i].type == elf.PT_LOAD and elf.segments[i].flags == (elf.PF_R | elf.PF_W | elf.PF_X) )
}

rule elf_many_needed : unix
{
  meta:
    family = "elf"
  condition:
    elf.dynamic_section_entries > 30
}

rule elf_static_large : unix
{
  meta:
    family = "elf"
  condition:
    uint32(0) == 0x464C457F and elf.dynamic_section_entries == 0 and filesize > 1MB
}

rule elf_symbols : unix
{
  meta:
    family = "elf"
  condition:
    elf.symtab_entries > 10
}

rule elf_entry_code : unix
{
  meta:
    family = "elf"
  strings:
    $a = { 31 ED 49 89 D1 5E 48 89 E2 }
    $b = { F3 0F 1E FA 31 ED }
  condition:
    elf.type == elf.ET_DYN and any of them
}

rule elf_packed_upx : unix
{
  meta:
    family = "elf"
  strings:
    $a = "UPX!"
    $b = "$Info: This file is packed with the UPX"
  condition:
    uint32(0) == 0x464C457F and any of them
}

rule elf_arm : unix
{
  meta:
    family = "elf"
  condition:
    elf.machine == elf.EM_ARM or elf.machine == elf.EM_AARCH64 or elf.machine == elf.EM_MIPS
}

rule elf_rootkit_words : unix
{
  meta:
    family = "elf"
  strings:
    $a = "sys_call_table"
    $b = "kallsyms_lookup_name"
    $c = "commit_creds"
  condition:
    elf.type == elf.ET_REL and 2 of them
}

rule elf_text_entropy : unix
{
  meta:
    family = "elf"
  condition:
    uint32(0) == 0x464C457F and for any i in (0 .. elf.number_of_sections - 1) : ( elf.sections[i].name == ".rodata" and elf.sections[i].size > 4096 and math.entropy(elf.sections[i].offset, elf.sections[i].size) > 7.0 )
}

rule math_high_entropy_head : statistics
{
  meta:
    family = "math"
  condition:
    filesize > 2KB and math.entropy(0, 2048) > 7.8
}

rule math_tail_entropy : statistics
{
  meta:
    family = "math"
  condition:
    filesize > 8KB and math.entropy(filesize - 4096, 4096) > 7.95
}

rule math_text_like_mean : statistics
{
  meta:
    family = "math"
  condition:
    filesize > 1KB and math.in_range(math.mean(0, 1024), 60.0, 100.0) and math.deviation(0, 1024, math.MEAN_BYTES) > 40
}

rule math_monte_carlo : statistics
{
  meta:
    family = "math"
  condition:
    filesize > 4KB and filesize < 128KB and math.monte_carlo_pi(0, 4096) < 0.02 and math.serial_correlation(0, 4096) < 0.05
}

rule math_larger_of_two : statistics
{
  meta:
    family = "math"
  strings:
    $a = "BEGIN"
    $b = "END"
  condition:
    $a and $b and math.max(@a, @b) < 4096
}

rule hash_one_pixel_gif : digest
{
  meta:
    family = "hash"
  condition:
    filesize == 42 and hash.md5(0, filesize) == "d89746888da2d9510b64a9f031eaecd5"
}

rule hash_newline_only : digest
{
  meta:
    family = "hash"
  condition:
    filesize < 4 and hash.sha256(0, filesize) == "01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b"
}

rule hash_shell_head : digest
{
  meta:
    family = "hash"
  condition:
    filesize > 9 and hash.md5(0, 9) == "320cce8ccaf83b8487d6a544489d0edc"
}

rule hash_elf_head : digest
{
  meta:
    family = "hash"
  condition:
    uint32(0) == 0x464C457F and hash.sha1(0, 16) == "bb58ff59e1645f0f87949144f8f564ed84385394"
}

rule hash_crc_of_head : digest
{
  meta:
    family = "hash"
  condition:
    filesize >= 64 and hash.crc32(0, 64) == 0x1C291CA3
}

rule hash_checksum : digest
{
  meta:
    family = "hash"
  condition:
    filesize < 4KB and hash.checksum32(0, filesize) == 0x0000FFFF
}
