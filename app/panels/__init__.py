"""Parts of pages that stand alone: they draw with Streamlit, as pages do, and know no page."""
