"""Measurements. Times and memory are printed and not compared with limits; compare only numbers of the same run."""
