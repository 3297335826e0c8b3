"""Languages: what people read, in the language they asked for.

English is written in the code and is the key of a message; every other language is one gettext catalogue,
`catalogues/CODE.po`. To add a language, add a catalogue (or name the file: `--lang path/to/xx.po`): every
output that is built with it shows it. Safety terms are those of `configs/glossary.yaml`. A message without
a translation is shown in English, and `Texts.missing` has it. As long as nobody has approved a catalogue
(`X-Approved-By`) and every term of the glossary by name, a page says *draft translation*.

    texts = load_texts("lo")              # or "en", "both" (English, then Lao), "en+xx", "path/to/xx.po"
    texts("No overlaps among {some} of {all} records", some=texts.number(5), all=texts.number(7))
    texts(CASE_STATUSES[case.status])     # the words of enumerations: geopipe.languages.words
    texts.area_ha(123_456.0), texts.date(day), texts.draft_note
"""
