"""Write envs/environment.yaml from envs/requirements.txt: the same versions for users of conda.

conda-forge brings Python and pip; pip brings the packages. conda-forge has not every version of every
package, and versions that are nearly the same would not give the same numbers.
"""

import re
from pathlib import Path

HERE = Path(__file__).resolve().parent

HEAD = """\
# The versions of requirements.txt, for users of conda. Written by `make lock`: not to be edited.
#
#     conda env create --file envs/environment.yaml
#     conda activate uncounted
#     pip install --no-deps --no-build-isolation --editable .
name: uncounted
channels:
  - conda-forge
  - nodefaults
dependencies:
  - python >=3.11,<3.14
  - pip
  - pip:
"""


def environment(requirements):
    """Turn the lock into an environment for conda.

    Parameters
    ----------
    requirements : str
        The content of requirements.txt.

    Returns
    -------
    str
        The content of environment.yaml. Markers that hold wherever the lock does are left out.
    """
    pins = re.findall(r"^([A-Za-z0-9][^\s;]*==[^\s;]+)(?: ; ([^\\\n]+?))? *\\?$", requirements, flags=re.M)
    lines = [f"      - {pin}{_marker(marker)}\n" for pin, marker in pins]
    return HEAD + "".join(lines)


def _marker(marker):
    wherever = all(f"sys_platform == '{system}'" in marker for system in ("darwin", "linux"))
    wherever = wherever and "platform_machine" not in marker
    return f" ; {marker.replace(chr(39), chr(34))}" if marker and not wherever else ""


if __name__ == "__main__":
    text = environment((HERE / "requirements.txt").read_text(encoding="utf-8"))
    (HERE / "environment.yaml").write_text(text, encoding="utf-8")
