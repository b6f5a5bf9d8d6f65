//! A naming context: a name space, or a directory of it, in which a single name is looked up.

use common::exit::Failure;

use crate::{
    name::{Name, Path, Step},
    space::{Space, resolve::Node},
    value::Values,
};

/// A naming context.
#[derive(Clone, Debug)]
pub struct Context<'a> {
    space: &'a Space,
    /// The path of the directory; the flat name space has none.
    directory: Option<Path>,
}

impl<'a> Context<'a> {
    /// The flat name space.
    pub fn flat(space: &'a Space) -> Self {
        Self {
            space,
            directory: None,
        }
    }

    /// The root of the structured name space.
    pub fn structured(space: &'a Space) -> Self {
        Self {
            space,
            directory: Some(Path::ROOT),
        }
    }

    /// The values of a name.
    ///
    /// # Errors
    /// `NAME: why` when it does not resolve to a leaf (exit code 1).
    pub fn get(&self, name: &str) -> Result<&'a Values, Failure> {
        match &self.directory {
            None => self.space.flat(name),
            Some(_) => self.space.structured(&self.path(name)?, &Path::ROOT),
        }
    }

    /// The directory that has this name.
    ///
    /// # Errors
    /// `NAME: why` when it does not resolve to a directory (exit code 1).
    pub fn directory(&self, name: &str) -> Result<Self, Failure> {
        let path = self.path(name)?;
        match self.space.node(&path, &Path::ROOT)? {
            Node::Directory(_) => Ok(Self {
                space: self.space,
                directory: Some(path),
            }),
            Node::Leaf(_) => Err(Failure::no(path, "a leaf, not a directory")),
            Node::Delegation(delegation) => Err(Failure::no(path, delegation)),
        }
    }

    /// The path of a name in this directory, written from the root.
    fn path(&self, name: &str) -> Result<Path, Failure> {
        let above = self.directory.iter().flat_map(|path| &path.steps);
        let name = Step::Down(Name::new(name)?);
        Ok(Path {
            absolute: false,
            steps: above.cloned().chain([name]).collect(),
        })
    }
}
