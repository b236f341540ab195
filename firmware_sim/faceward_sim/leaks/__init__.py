"""Whether the simulator tells attacks from the living by anything that reality would not.

`swap` changes a mask's material and looks for anything else that changes. `telling` lets a classifier look where no
instrument is. `acceptance` puts living skin that is an attack by its label alone before the whole product.
"""
