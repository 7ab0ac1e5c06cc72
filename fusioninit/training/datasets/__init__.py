"""Data sets to train on: what lies in files, as cases on the network's grid.

The nouns: `CaseFiles`, what a data set names for one case (listing, made by manifest, folders and
tcia); `PreparedCase`, the case read and resampled once (prepare, kept by store); `MixedSource`,
cases by seed, mixed with the phantom (source). `case_source` is what training calls; sections
holds the configuration.
"""
