"""A gate against infrared light that is not the sensor's."""
