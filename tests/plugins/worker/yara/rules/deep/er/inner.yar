global rule with_a { strings: $a = "a" condition: $a }
rule text_words : inner { strings: $h = "hello" condition: $h at 0 }
