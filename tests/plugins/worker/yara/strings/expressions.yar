rule expressions
{
    strings:
        $class = /token-[a-z0-9_]{3,12}-[^xyz]{2}!/
        $choice = /(get|post|delete) \/[a-z]{1,8}(\.html?|\.php)/ nocase
        $lazy = /<b>.*?<\/b>/
        $greedy = /<i>[^<]*<\/i>/
        $repeated = /(ab|cd){2,4}ef/
        $counted = /x[0-9]{3}y[0-9]{2,}z/
        $dotall = /first line.second/s
        $dot = /first line.second/
        $optional = /colou?r(ed)? (red|green)?/
        $escaped = /\x10\x11[\x12-\x14]+\.\d\s\w\W/
    condition:
        any of them
}

rule edges
{
    strings:
        $start = /^start of/
        $end = /of the end$/
        $boundary = /\bedge[0-9]+\b/
        $inside = /\Binner\B/
        $word = /wordy[a-z]{2}/ fullword
        $word_wide = /widely[a-z]{2}/ wide fullword
        $boundary_wide = /\bspaced[0-9]\b/ wide
        $both = /twofold[0-9]{1,3}/ ascii wide nocase
    condition:
        any of them
}

rule far
{
    strings:
        $hundreds = /begin=[a-z ]{200,900}=end/
        $unbounded = /quote"[^"]*"/
        $backwards = /[a-z ]{100,400}<= until here/
    condition:
        any of them
}
