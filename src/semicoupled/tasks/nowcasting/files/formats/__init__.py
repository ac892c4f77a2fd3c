"""The formats of radar files, one a module; `semicoupled.tasks.nowcasting.files.reading` lists them."""
