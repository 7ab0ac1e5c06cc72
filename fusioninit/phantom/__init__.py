"""The synthetic pelvis: T2w MR and transrectal US of random patients, with landmarks and masks.

Everything is drawn from a seed and rendered with torch, on any device. Sizes and shapes follow
measured statistics of real glands; no patient's image is used.
"""

from fusioninit.phantom.pairs import PhantomPair, draw_pair
from fusioninit.phantom.sampling import PhantomSample, draw_sample
from fusioninit.phantom.writing import write_pairs

__all__ = ["PhantomPair", "PhantomSample", "draw_pair", "draw_sample", "write_pairs"]
