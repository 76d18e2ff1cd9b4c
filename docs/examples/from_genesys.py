"""Options of a Genesys Stat Server, exported as a text file, as TOML: from_genesys.py FILE.

What says what is counted is written to standard output; sections that belong to one server
(`statserver`, `ha`, `log`, ...) are named on standard error: look them up in the options.
"""

import sys
from configparser import ConfigParser

import tomli_w

OURS = {"TimeProfiles": "time-profiles", "TimeRanges": "time-ranges", "Filters": "filters"}

exported = ConfigParser(interpolation=None, delimiters="=", strict=False, allow_no_value=True)
exported.optionxform = str  # names are written in capitals and small letters
exported.read(sys.argv[1], encoding="utf-8-sig")
site = {}
for section in exported.sections():
    options = {key: value or "" for key, value in exported[section].items()}
    if section in OURS:
        site[OURS[section]] = options
    elif "Category" in options:
        site.setdefault("stat-types", {})[section] = options
    else:
        print(f"left out: [{section}]", file=sys.stderr)
print(tomli_w.dumps(site))
