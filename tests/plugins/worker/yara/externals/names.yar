rule by_name { condition: filename == "report.exe" and extension == ".exe" }
rule by_path { condition: filepath contains "in/side" }
rule by_depth { condition: depth >= 2 }
rule by_type { condition: type == "pe" and filetype == "pe" }
rule by_site { condition: site == "north" and level == 5 and strict and ratio > 0.4 }
