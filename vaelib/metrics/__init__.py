"""Estimates with units: how well, how much, how far."""

from vaelib.metrics._codes import code_information, shuffled_gap
from vaelib.metrics._estimates import active_units, bits_per_dim, log_marginal_iw, principal_angles
from vaelib.metrics._samples import SampleQuality, classifier_features, frechet_distance, nearest, sample_quality
from vaelib.metrics._spectra import RadialSpectrum, VarianceParts, radial_spectrum, variance_parts

__all__ = [
    "RadialSpectrum",
    "SampleQuality",
    "VarianceParts",
    "active_units",
    "bits_per_dim",
    "classifier_features",
    "code_information",
    "frechet_distance",
    "log_marginal_iw",
    "nearest",
    "principal_angles",
    "radial_spectrum",
    "sample_quality",
    "shuffled_gap",
    "variance_parts",
]
