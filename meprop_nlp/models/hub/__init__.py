"""Models as folders in the manner of Hugging Face, on disk and on its Hub."""
