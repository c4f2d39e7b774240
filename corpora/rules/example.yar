// Example rules for `stoq scan --rules`. They mark this corpus's own marker strings and plain
// structure; nothing here speaks of malware.

rule corpus_marker : example
{
    meta:
        description = "The marker that scripts/make-corpora hides at the bottom of each nest"
    strings:
        $plain = "STOQ-CORPUS-MARKER"
        $wide = "STOQ-CORPUS-MARKER" wide
    condition:
        any of them
}

rule dos_stub : example executable
{
    meta:
        description = "A program for DOS or Windows that says it is one"
    strings:
        $stub = "This program cannot be run in DOS mode"
    condition:
        uint16(0) == 0x5a4d and $stub
}

rule office_document : example document
{
    meta:
        description = "The main part of a word-processing document"
    strings:
        $body = "<w:document"
    condition:
        $body
}

rule url : example
{
    meta:
        description = "A web address"
    strings:
        $http = /https?:\/\/[a-z0-9.-]{4,64}\// nocase
    condition:
        $http
}
