"""The window: slice views painted by Qt, a 3D view by VTK, tables and panels.

Views draw what `Session` and `ViewState` hold and hand back intents; they never know each other.
No torch, SimpleITK or scipy, and no linear algebra: what is known comes from the lower floors.
"""
